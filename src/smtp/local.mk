noinst_LIBRARIES += %reldir%/libsmtp.a
%canon_reldir%_libsmtp_a_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I)
%canon_reldir%_libsmtp_a_SOURCES = \
	%reldir%/smtp_advice.c %reldir%/smtp_advice.h \
	%reldir%/smtp_caps.c %reldir%/smtp_caps.h \
	%reldir%/smtp_client.c %reldir%/smtp_client.h \
	%reldir%/smtp_command.c %reldir%/smtp_command.h \
	%reldir%/smtp_data.c %reldir%/smtp_data.h \
	%reldir%/smtp_dialogue.c %reldir%/smtp_dialogue.h \
	%reldir%/smtp_dot.c %reldir%/smtp_dot.h \
	%reldir%/smtp_dsn.c %reldir%/smtp_dsn.h \
	%reldir%/smtp_fault.c %reldir%/smtp_fault.h \
	%reldir%/smtp_fault_rules.c %reldir%/smtp_fault_rules.h \
	%reldir%/smtp_flight.c \
	%reldir%/smtp_hello.c \
	%reldir%/smtp_login.c \
	%reldir%/smtp_parameter.c %reldir%/smtp_parameter.h \
	%reldir%/smtp_provider.c %reldir%/smtp_provider.h \
	%reldir%/smtp_reply.c %reldir%/smtp_reply.h \
	%reldir%/smtp_server.c %reldir%/smtp_server.h \
	%reldir%/smtp_session.c %reldir%/smtp_session.h \
	%reldir%/smtp_transaction.c \
	%reldir%/smtp_verbs.c
