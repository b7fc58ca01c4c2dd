noinst_LIBRARIES += %reldir%/libsmtp.a
%canon_reldir%_libsmtp_a_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I)
%canon_reldir%_libsmtp_a_SOURCES = \
	%reldir%/smtp_caps.h \
	%reldir%/smtp_client.h \
	%reldir%/smtp_server.h
