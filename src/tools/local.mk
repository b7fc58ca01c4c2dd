noinst_LIBRARIES += %reldir%/libtools.a
%canon_reldir%_libtools_a_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I) \
	-DSUBMISSION_SOCKET='"$(runstatedir)/tranter/smtp.sock"'
%canon_reldir%_libtools_a_SOURCES = \
	%reldir%/ask.c %reldir%/ask.h \
	%reldir%/reach.c %reldir%/reach.h \
	%reldir%/say.c %reldir%/say.h
tools_I = -I$(top_srcdir)/src/tools
tools_LIBS = src/tools/libtools.a $(smtp_LIBS)

bin_PROGRAMS += %reldir%/tranterctl
%canon_reldir%_tranterctl_CPPFLAGS = $(base_I) $(conf_I) \
	-DCONFIG_FILE='"$(sysconfdir)/tranter/tranter.conf"' \
	-DCONTROL_SOCKET='"$(runstatedir)/tranter/control.sock"'
%canon_reldir%_tranterctl_SOURCES = %reldir%/tranterctl.c
%canon_reldir%_tranterctl_LDADD = src/tools/libtools.a $(conf_LIBS)
