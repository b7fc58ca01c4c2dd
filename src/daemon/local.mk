sbin_PROGRAMS += %reldir%/tranterd
%canon_reldir%_tranterd_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I) $(tls_I) $(auth_I) $(store_I) $(view_I) $(net_I) $(conf_I) $(contact_I) \
	$(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
%canon_reldir%_tranterd_SOURCES = \
	%reldir%/alarm.c %reldir%/alarm.h \
	%reldir%/aliases.c %reldir%/aliases.h \
	%reldir%/attempt.c %reldir%/attempt.h \
	%reldir%/bounce.c %reldir%/bounce.h \
	%reldir%/content.c %reldir%/content.h \
	%reldir%/control.c %reldir%/control.h \
	%reldir%/control_alias.c \
	%reldir%/control_change.c \
	%reldir%/control_client.c %reldir%/control_client.h \
	%reldir%/control_daemon.c \
	%reldir%/control_queue.c \
	%reldir%/control_show.c \
	%reldir%/control_walk.c %reldir%/control_walk.h \
	%reldir%/delivery.c %reldir%/delivery.h %reldir%/delivery_inner.h %reldir%/delivery_way.c \
	%reldir%/dispatch.c %reldir%/dispatch.h \
	%reldir%/manner.c %reldir%/manner.h \
	%reldir%/mode.c %reldir%/mode.h \
	%reldir%/digest.c %reldir%/digest.h \
	%reldir%/drop.c %reldir%/drop.h \
	%reldir%/envelope.c %reldir%/envelope.h \
	%reldir%/gather.c %reldir%/gather.h \
	%reldir%/invalid.c %reldir%/invalid.h \
	%reldir%/outcome.c %reldir%/outcome.h \
	%reldir%/metrics.c %reldir%/metrics.h \
	%reldir%/outage.c %reldir%/outage.h \
	%reldir%/pace.c %reldir%/pace.h \
	%reldir%/rate.c %reldir%/rate.h \
	%reldir%/relay.c %reldir%/relay.h \
	%reldir%/report_limit.c %reldir%/report_limit.h \
	%reldir%/service.c %reldir%/service.h \
	%reldir%/session.c %reldir%/session.h \
	%reldir%/settle.c %reldir%/settle.h %reldir%/settle_log.c %reldir%/settlement.h \
	%reldir%/smarthost.c %reldir%/smarthost.h \
	%reldir%/smarthost_health.c %reldir%/smarthost_inner.h %reldir%/smarthost_link.c \
	%reldir%/status.c %reldir%/status.h \
	%reldir%/steady.c %reldir%/steady.h \
	%reldir%/submit.c %reldir%/submit.h \
	%reldir%/sweep.c %reldir%/sweep.h \
	%reldir%/tally.c %reldir%/tally.h \
	%reldir%/tranterd.c \
	%reldir%/trust.c %reldir%/trust.h \
	%reldir%/verdict.c %reldir%/verdict.h \
	%reldir%/waiter.h \
	%reldir%/width.c %reldir%/width.h
%canon_reldir%_tranterd_LDADD = $(contact_LIBS) $(net_LIBS) $(auth_LIBS) $(view_LIBS) $(smtp_LIBS) $(conf_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS)
