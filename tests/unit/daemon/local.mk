check_PROGRAMS += %reldir%/check_outcome
TESTS += %reldir%/check_outcome
%canon_reldir%_check_outcome_CPPFLAGS = $(base_I) $(mail_I) $(store_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_outcome_SOURCES = %reldir%/check_outcome.c src/daemon/outcome.c
%canon_reldir%_check_outcome_LDADD = $(store_LIBS) $(CHECK_LIBS)
