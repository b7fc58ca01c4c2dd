noinst_LIBRARIES += %reldir%/libtls.a
%canon_reldir%_libtls_a_CPPFLAGS = $(base_I) $(tls_I) $(GNUTLS_CFLAGS)
%canon_reldir%_libtls_a_SOURCES = \
	%reldir%/crypto.c %reldir%/crypto.h \
	%reldir%/tls.c %reldir%/tls.h \
	%reldir%/tls_certificate.c \
	%reldir%/tls_chain.c %reldir%/tls_chain.h \
	%reldir%/tls_context.c \
	%reldir%/tls_name.c %reldir%/tls_name.h \
	%reldir%/tls_private.h \
	%reldir%/tls_verdict.c
