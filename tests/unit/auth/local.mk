check_PROGRAMS += %reldir%/check_sasl %reldir%/check_secret
TESTS += %reldir%/check_sasl %reldir%/check_secret
%canon_reldir%_check_sasl_CPPFLAGS = $(base_I) $(auth_I) $(CHECK_CFLAGS)
%canon_reldir%_check_sasl_LDADD = $(auth_LIBS) $(CHECK_LIBS)
%canon_reldir%_check_secret_CPPFLAGS = $(base_I) $(auth_I) $(CHECK_CFLAGS)
%canon_reldir%_check_secret_LDADD = $(auth_LIBS) $(CHECK_LIBS)
