noinst_LIBRARIES += %reldir%/libcontact.a
%canon_reldir%_libcontact_a_CPPFLAGS = $(base_I) $(smtp_I) $(tls_I) $(auth_I) $(net_I) $(conf_I) $(contact_I)
%canon_reldir%_libcontact_a_SOURCES = \
	%reldir%/contact.c %reldir%/contact.h \
	%reldir%/login.c %reldir%/login.h
