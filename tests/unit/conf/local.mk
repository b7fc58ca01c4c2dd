check_PROGRAMS += %reldir%/check_conf
TESTS += %reldir%/check_conf
%canon_reldir%_check_conf_CPPFLAGS = $(base_I) $(conf_I) $(CHECK_CFLAGS) \
	-DRUNSTATEDIR='"$(runstatedir)"' -DLOCALSTATEDIR='"$(localstatedir)"'
%canon_reldir%_check_conf_LDADD = $(conf_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_conf_value
TESTS += %reldir%/check_conf_value
%canon_reldir%_check_conf_value_CPPFLAGS = $(base_I) $(conf_I) $(CHECK_CFLAGS)
%canon_reldir%_check_conf_value_LDADD = $(conf_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_conf_aliases
TESTS += %reldir%/check_conf_aliases
%canon_reldir%_check_conf_aliases_CPPFLAGS = $(base_I) $(mail_I) $(conf_I) $(CHECK_CFLAGS)
%canon_reldir%_check_conf_aliases_LDADD = $(conf_LIBS) $(CHECK_LIBS)
