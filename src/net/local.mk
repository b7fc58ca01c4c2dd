noinst_LIBRARIES += %reldir%/libnet.a
%canon_reldir%_libnet_a_CPPFLAGS = $(base_I) $(tls_I) $(net_I) $(EVENT_CFLAGS)
%canon_reldir%_libnet_a_SOURCES = \
	%reldir%/command.c %reldir%/command.h \
	%reldir%/conn.c %reldir%/conn.h \
	%reldir%/conn_io.c %reldir%/conn_inner.h \
	%reldir%/dial.c %reldir%/dial.h \
	%reldir%/dial_fault.c %reldir%/dial_inner.h \
	%reldir%/listener.c %reldir%/listener.h \
	%reldir%/lookup.c %reldir%/lookup.h \
	%reldir%/lookup_dns.c %reldir%/lookup_dns.h \
	%reldir%/loop.c %reldir%/loop.h %reldir%/loop_task.h \
	%reldir%/race.c %reldir%/race.h
