# Not linked with libtls: fake_tls.c stands in for it.
net_check_CPPFLAGS = $(base_I) $(tls_I) $(net_I) $(CHECK_CFLAGS)
net_check_LDADD = src/net/libnet.a $(base_LIBS) $(EVENT_LIBS) $(CHECK_LIBS) -lpthread
net_check_SOURCES = %reldir%/fake_tls.c %reldir%/fake_tls.h %reldir%/turns.c %reldir%/turns.h
net_checks = %reldir%/check_command %reldir%/check_conn %reldir%/check_conn_tls %reldir%/check_dial %reldir%/check_listener %reldir%/check_loop \
	%reldir%/check_race

check_PROGRAMS += $(net_checks)
TESTS += $(net_checks)
%canon_reldir%_check_command_CPPFLAGS = $(net_check_CPPFLAGS)
%canon_reldir%_check_command_LDADD = $(net_check_LDADD)
%canon_reldir%_check_command_SOURCES = %reldir%/check_command.c $(net_check_SOURCES)
%canon_reldir%_check_conn_CPPFLAGS = $(net_check_CPPFLAGS)
%canon_reldir%_check_conn_LDADD = $(net_check_LDADD)
%canon_reldir%_check_conn_SOURCES = %reldir%/check_conn.c \
	%reldir%/conn_owner.c %reldir%/conn_owner.h $(net_check_SOURCES)
%canon_reldir%_check_conn_tls_CPPFLAGS = $(net_check_CPPFLAGS)
%canon_reldir%_check_conn_tls_LDADD = $(net_check_LDADD)
%canon_reldir%_check_conn_tls_SOURCES = %reldir%/check_conn_tls.c \
	%reldir%/conn_owner.c %reldir%/conn_owner.h $(net_check_SOURCES)
%canon_reldir%_check_dial_CPPFLAGS = $(net_check_CPPFLAGS)
%canon_reldir%_check_dial_LDADD = $(net_check_LDADD)
%canon_reldir%_check_dial_SOURCES = %reldir%/check_dial.c $(net_check_SOURCES)
%canon_reldir%_check_listener_CPPFLAGS = $(net_check_CPPFLAGS)
%canon_reldir%_check_listener_LDADD = $(net_check_LDADD)
%canon_reldir%_check_listener_SOURCES = %reldir%/check_listener.c $(net_check_SOURCES)
%canon_reldir%_check_loop_CPPFLAGS = $(net_check_CPPFLAGS)
%canon_reldir%_check_loop_LDADD = $(net_check_LDADD)
%canon_reldir%_check_loop_SOURCES = %reldir%/check_loop.c $(net_check_SOURCES)
%canon_reldir%_check_race_CPPFLAGS = $(net_check_CPPFLAGS)
%canon_reldir%_check_race_LDADD = $(net_check_LDADD)
%canon_reldir%_check_race_SOURCES = %reldir%/check_race.c $(net_check_SOURCES)
