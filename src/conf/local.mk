noinst_LIBRARIES += %reldir%/libconf.a
%canon_reldir%_libconf_a_CPPFLAGS = $(base_I) $(mail_I) $(conf_I) $(CONFUSE_CFLAGS) \
	-DRUNSTATEDIR='"$(runstatedir)"' -DLOCALSTATEDIR='"$(localstatedir)"'
%canon_reldir%_libconf_a_SOURCES = \
	%reldir%/conf.c %reldir%/conf.h \
	%reldir%/conf_aliases.c %reldir%/conf_aliases.h \
	%reldir%/conf_check.c %reldir%/conf_check.h \
	%reldir%/conf_host.c %reldir%/conf_host.h \
	%reldir%/conf_key.c %reldir%/conf_key.h \
	%reldir%/conf_text.c %reldir%/conf_text.h \
	%reldir%/conf_unknown.c \
	%reldir%/conf_value.c %reldir%/conf_value.h
