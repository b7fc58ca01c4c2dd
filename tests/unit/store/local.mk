check_PROGRAMS += %reldir%/check_schedule %reldir%/check_store
TESTS += %reldir%/check_schedule %reldir%/check_store

%canon_reldir%_check_schedule_CPPFLAGS = $(base_I) $(store_I) $(CHECK_CFLAGS)
%canon_reldir%_check_schedule_LDADD = $(store_LIBS) $(CHECK_LIBS)

%canon_reldir%_check_store_SOURCES = %reldir%/check_store.c %reldir%/fixture.c %reldir%/fixture.h
%canon_reldir%_check_store_CPPFLAGS = $(base_I) $(mail_I) $(store_I) $(SQLITE_CFLAGS) $(CHECK_CFLAGS)
%canon_reldir%_check_store_LDADD = $(store_LIBS) $(CHECK_LIBS)
