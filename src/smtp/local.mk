noinst_LIBRARIES += %reldir%/libsmtp.a
%canon_reldir%_libsmtp_a_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I)
%canon_reldir%_libsmtp_a_SOURCES = \
	%reldir%/smtp_caps.h \
	%reldir%/smtp_client.h \
	%reldir%/smtp_command.c %reldir%/smtp_command.h \
	%reldir%/smtp_data.c %reldir%/smtp_data.h \
	%reldir%/smtp_server.c %reldir%/smtp_server.h \
	%reldir%/smtp_session.c %reldir%/smtp_session.h \
	%reldir%/smtp_verbs.c
