check_PROGRAMS += %reldir%/check_smtp_data
TESTS += %reldir%/check_smtp_data
%canon_reldir%_check_smtp_data_CPPFLAGS = $(base_I) $(smtp_I) $(CHECK_CFLAGS)
%canon_reldir%_check_smtp_data_LDADD = $(smtp_LIBS) $(CHECK_LIBS)
