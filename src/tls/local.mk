noinst_LIBRARIES += %reldir%/libtls.a
%canon_reldir%_libtls_a_CPPFLAGS = $(base_I) $(tls_I) $(GNUTLS_CFLAGS)
%canon_reldir%_libtls_a_SOURCES = \
	%reldir%/crypto.h \
	%reldir%/tls.h
