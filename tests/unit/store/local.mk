check_PROGRAMS += %reldir%/check_schedule
TESTS += %reldir%/check_schedule
%canon_reldir%_check_schedule_CPPFLAGS = $(base_I) $(store_I) $(CHECK_CFLAGS)
%canon_reldir%_check_schedule_LDADD = $(store_LIBS) $(CHECK_LIBS)

store_fixture = %reldir%/fixture.c %reldir%/fixture.h
store_test_I = $(base_I) $(mail_I) $(store_I) $(SQLITE_CFLAGS) $(CHECK_CFLAGS)

check_PROGRAMS += %reldir%/check_store
TESTS += %reldir%/check_store
%canon_reldir%_check_store_SOURCES = %reldir%/check_store.c $(store_fixture)
%canon_reldir%_check_store_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_store_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_queue
TESTS += %reldir%/check_queue
%canon_reldir%_check_queue_SOURCES = %reldir%/check_queue.c $(store_fixture)
%canon_reldir%_check_queue_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_queue_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_submission_id
TESTS += %reldir%/check_submission_id
%canon_reldir%_check_submission_id_SOURCES = %reldir%/check_submission_id.c $(store_fixture)
%canon_reldir%_check_submission_id_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_submission_id_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_spool
TESTS += %reldir%/check_spool
%canon_reldir%_check_spool_SOURCES = %reldir%/check_spool.c $(store_fixture)
%canon_reldir%_check_spool_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_spool_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_format
TESTS += %reldir%/check_format
%canon_reldir%_check_format_SOURCES = %reldir%/check_format.c $(store_fixture)
%canon_reldir%_check_format_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_format_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_annex
TESTS += %reldir%/check_annex
%canon_reldir%_check_annex_SOURCES = %reldir%/check_annex.c $(store_fixture)
%canon_reldir%_check_annex_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_annex_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_search
TESTS += %reldir%/check_search
%canon_reldir%_check_search_SOURCES = %reldir%/check_search.c $(store_fixture)
%canon_reldir%_check_search_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_search_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_history
TESTS += %reldir%/check_history
%canon_reldir%_check_history_SOURCES = %reldir%/check_history.c $(store_fixture)
%canon_reldir%_check_history_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_history_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_visit
TESTS += %reldir%/check_visit
%canon_reldir%_check_visit_SOURCES = %reldir%/check_visit.c $(store_fixture)
%canon_reldir%_check_visit_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_visit_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_marks
TESTS += %reldir%/check_marks
%canon_reldir%_check_marks_SOURCES = %reldir%/check_marks.c $(store_fixture)
%canon_reldir%_check_marks_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_marks_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_faults
TESTS += %reldir%/check_faults
%canon_reldir%_check_faults_SOURCES = %reldir%/check_faults.c %reldir%/faultfs.c %reldir%/faultfs.h \
	%reldir%/faultfs_inner.h %reldir%/faultsys.c $(store_fixture)
%canon_reldir%_check_faults_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_faults_LDFLAGS = \
	-Wl,--wrap=openat,--wrap=pwrite,--wrap=fdatasync,--wrap=fsync \
	-Wl,--wrap=ftruncate,--wrap=unlinkat,--wrap=rename
%canon_reldir%_check_faults_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_kill
TESTS += %reldir%/check_kill
%canon_reldir%_check_kill_SOURCES = %reldir%/check_kill.c $(store_fixture)
%canon_reldir%_check_kill_CPPFLAGS = $(store_test_I)
%canon_reldir%_check_kill_LDADD = $(store_LIBS) $(CHECK_LIBS)
