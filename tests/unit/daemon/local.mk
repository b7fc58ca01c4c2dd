check_PROGRAMS += %reldir%/check_outcome
TESTS += %reldir%/check_outcome
%canon_reldir%_check_outcome_CPPFLAGS = $(base_I) $(mail_I) $(store_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_outcome_SOURCES = %reldir%/check_outcome.c src/daemon/outcome.c
%canon_reldir%_check_outcome_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_verdict
TESTS += %reldir%/check_verdict
%canon_reldir%_check_verdict_CPPFLAGS = $(base_I) $(mail_I) $(store_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_verdict_SOURCES = %reldir%/check_verdict.c src/daemon/outcome.c src/daemon/verdict.c
%canon_reldir%_check_verdict_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_content
TESTS += %reldir%/check_content
%canon_reldir%_check_content_CPPFLAGS = $(base_I) $(mail_I) $(store_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_content_SOURCES = %reldir%/check_content.c src/daemon/content.c
%canon_reldir%_check_content_LDADD = $(mail_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_mode
TESTS += %reldir%/check_mode
%canon_reldir%_check_mode_CPPFLAGS = $(base_I) $(conf_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_mode_SOURCES = %reldir%/check_mode.c src/daemon/mode.c
%canon_reldir%_check_mode_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_outage
TESTS += %reldir%/check_outage
%canon_reldir%_check_outage_CPPFLAGS = $(base_I) $(mail_I) $(store_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_outage_SOURCES = %reldir%/check_outage.c src/daemon/outage.c src/daemon/pace.c
%canon_reldir%_check_outage_LDADD = $(store_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_rate
TESTS += %reldir%/check_rate
%canon_reldir%_check_rate_CPPFLAGS = $(base_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_rate_SOURCES = %reldir%/check_rate.c src/daemon/rate.c src/daemon/width.c
%canon_reldir%_check_rate_LDADD = $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_report_limit
TESTS += %reldir%/check_report_limit
%canon_reldir%_check_report_limit_CPPFLAGS = $(base_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_report_limit_SOURCES = %reldir%/check_report_limit.c src/daemon/report_limit.c
%canon_reldir%_check_report_limit_LDADD = $(base_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_steady
TESTS += %reldir%/check_steady
%canon_reldir%_check_steady_CPPFLAGS = -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_steady_SOURCES = %reldir%/check_steady.c src/daemon/steady.c
%canon_reldir%_check_steady_LDADD = $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_alarm
TESTS += %reldir%/check_alarm
%canon_reldir%_check_alarm_CPPFLAGS = $(base_I) $(mail_I) $(store_I) $(net_I) $(conf_I) \
	-I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_alarm_SOURCES = %reldir%/check_alarm.c src/daemon/alarm.c src/daemon/tally.c \
	src/daemon/metrics.c src/daemon/outcome.c
%canon_reldir%_check_alarm_LDADD = $(store_LIBS) $(conf_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %reldir%/check_manner
TESTS += %reldir%/check_manner
%canon_reldir%_check_manner_CPPFLAGS = $(base_I) $(smtp_I) -I$(top_srcdir)/src/daemon $(CHECK_CFLAGS)
%canon_reldir%_check_manner_SOURCES = %reldir%/check_manner.c src/daemon/manner.c
%canon_reldir%_check_manner_LDADD = $(base_LIBS) $(CHECK_LIBS)
