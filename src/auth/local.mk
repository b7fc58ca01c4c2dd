noinst_LIBRARIES += %reldir%/libauth.a
%canon_reldir%_libauth_a_CPPFLAGS = $(base_I) $(tls_I) $(net_I) $(auth_I) $(IDN_CFLAGS) $(JANSSON_CFLAGS)
%canon_reldir%_libauth_a_SOURCES = \
	%reldir%/credential.c %reldir%/credential.h \
	%reldir%/credential_fault.c %reldir%/credential_fault.h \
	%reldir%/sasl.c %reldir%/sasl.h \
	%reldir%/sasl_cram_md5.c \
	%reldir%/sasl_external.c \
	%reldir%/sasl_login.c \
	%reldir%/sasl_mechanism.h \
	%reldir%/sasl_oauth.c \
	%reldir%/sasl_plain.c \
	%reldir%/sasl_scram.c \
	%reldir%/saslprep.c %reldir%/saslprep.h \
	%reldir%/secret.c %reldir%/secret.h \
	%reldir%/token.c %reldir%/token.h \
	%reldir%/vault.c %reldir%/vault.h
