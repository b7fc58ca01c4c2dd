auth_check_CPPFLAGS = $(base_I) $(tls_I) $(auth_I) $(CHECK_CFLAGS)
auth_check_LDADD = $(auth_LIBS) $(CHECK_LIBS)
auth_checks = %reldir%/check_sasl %reldir%/check_sasl_oauth %reldir%/check_sasl_scram \
	%reldir%/check_saslprep %reldir%/check_secret

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
