noinst_LIBRARIES += %reldir%/libauth.a
%canon_reldir%_libauth_a_CPPFLAGS = $(base_I) $(tls_I) $(auth_I)
%canon_reldir%_libauth_a_SOURCES = \
	%reldir%/sasl.h \
	%reldir%/secret.h
