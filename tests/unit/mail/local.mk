check_PROGRAMS += %reldir%/check_address %reldir%/check_address_list
TESTS += %reldir%/check_address %reldir%/check_address_list
%canon_reldir%_check_address_CPPFLAGS = $(base_I) $(mail_I) $(CHECK_CFLAGS)
%canon_reldir%_check_address_LDADD = $(mail_LIBS) $(CHECK_LIBS)
%canon_reldir%_check_address_list_CPPFLAGS = $(base_I) $(mail_I) $(CHECK_CFLAGS)
%canon_reldir%_check_address_list_LDADD = $(mail_LIBS) $(CHECK_LIBS)
