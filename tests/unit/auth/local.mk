auth_check_CPPFLAGS = $(base_I) $(tls_I) $(net_I) $(auth_I) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)
auth_check_LDADD = $(auth_LIBS) $(CHECK_LIBS)
auth_checks = %reldir%/check_credential %reldir%/check_sasl %reldir%/check_sasl_oauth %reldir%/check_sasl_scram \
	%reldir%/check_saslprep %reldir%/check_secret %reldir%/check_token %reldir%/check_vault

check_PROGRAMS += $(auth_checks)
TESTS += $(auth_checks)
%canon_reldir%_check_sasl_CPPFLAGS = $(auth_check_CPPFLAGS)
%canon_reldir%_check_sasl_LDADD = $(auth_check_LDADD)
%canon_reldir%_check_sasl_oauth_CPPFLAGS = $(auth_check_CPPFLAGS)
%canon_reldir%_check_sasl_oauth_LDADD = $(auth_check_LDADD)
%canon_reldir%_check_sasl_scram_CPPFLAGS = $(auth_check_CPPFLAGS)
%canon_reldir%_check_sasl_scram_LDADD = $(auth_check_LDADD)
%canon_reldir%_check_saslprep_CPPFLAGS = $(auth_check_CPPFLAGS)
%canon_reldir%_check_saslprep_LDADD = $(auth_check_LDADD)
%canon_reldir%_check_secret_CPPFLAGS = $(auth_check_CPPFLAGS)
%canon_reldir%_check_secret_LDADD = $(auth_check_LDADD)
%canon_reldir%_check_credential_CPPFLAGS = $(auth_check_CPPFLAGS) -I$(top_srcdir)/tests/unit/net
%canon_reldir%_check_credential_LDADD = $(auth_check_LDADD)
%canon_reldir%_check_credential_SOURCES = %reldir%/check_credential.c \
	tests/unit/net/turns.c tests/unit/net/turns.h
%canon_reldir%_check_token_CPPFLAGS = $(auth_check_CPPFLAGS)
%canon_reldir%_check_token_LDADD = $(auth_check_LDADD)
%canon_reldir%_check_vault_CPPFLAGS = $(auth_check_CPPFLAGS)
%canon_reldir%_check_vault_LDADD = $(auth_check_LDADD)
