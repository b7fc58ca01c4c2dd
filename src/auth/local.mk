noinst_LIBRARIES += %reldir%/libauth.a
%canon_reldir%_libauth_a_CPPFLAGS = $(base_I) $(tls_I) $(auth_I)
%canon_reldir%_libauth_a_SOURCES = \
	%reldir%/sasl.c %reldir%/sasl.h \
	%reldir%/sasl_login.c \
	%reldir%/sasl_mechanism.h \
	%reldir%/sasl_plain.c \
	%reldir%/secret.c %reldir%/secret.h
