noinst_LIBRARIES += %reldir%/libconf.a
%canon_reldir%_libconf_a_CPPFLAGS = $(base_I) $(conf_I) $(CONFUSE_CFLAGS)
%canon_reldir%_libconf_a_SOURCES = \
	%reldir%/conf.h
