check_PROGRAMS += %reldir%/check_smtp_client %reldir%/check_smtp_data
TESTS += %reldir%/check_smtp_client %reldir%/check_smtp_data
%canon_reldir%_check_smtp_client_SOURCES = %reldir%/check_smtp_client.c %reldir%/dialogue.c %reldir%/dialogue.h
%canon_reldir%_check_smtp_client_CPPFLAGS = $(base_I) $(smtp_I) $(CHECK_CFLAGS)
%canon_reldir%_check_smtp_client_LDADD = $(smtp_LIBS) $(CHECK_LIBS)
%canon_reldir%_check_smtp_data_CPPFLAGS = $(base_I) $(smtp_I) $(CHECK_CFLAGS)
%canon_reldir%_check_smtp_data_LDADD = $(smtp_LIBS) $(CHECK_LIBS)
check_PROGRAMS += %reldir%/check_smtp_command
TESTS += %reldir%/check_smtp_command
%canon_reldir%_check_smtp_command_CPPFLAGS = $(base_I) $(smtp_I) $(CHECK_CFLAGS)
%canon_reldir%_check_smtp_command_LDADD = $(smtp_LIBS) $(CHECK_LIBS)
check_PROGRAMS += %reldir%/check_smtp_server
TESTS += %reldir%/check_smtp_server
%canon_reldir%_check_smtp_server_SOURCES = \
	%reldir%/check_smtp_server.c %reldir%/server_player.c %reldir%/server_player.h
%canon_reldir%_check_smtp_server_CPPFLAGS = $(base_I) $(smtp_I) $(CHECK_CFLAGS)
%canon_reldir%_check_smtp_server_LDADD = $(smtp_LIBS) $(CHECK_LIBS)
check_PROGRAMS += %reldir%/check_smtp_session
TESTS += %reldir%/check_smtp_session
%canon_reldir%_check_smtp_session_SOURCES = \
	%reldir%/check_smtp_session.c %reldir%/server_player.c %reldir%/server_player.h
%canon_reldir%_check_smtp_session_CPPFLAGS = $(base_I) $(smtp_I) $(CHECK_CFLAGS)
%canon_reldir%_check_smtp_session_LDADD = $(smtp_LIBS) $(CHECK_LIBS)
