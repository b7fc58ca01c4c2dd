tranterconfdir = $(sysconfdir)/tranter
dist_tranterconf_DATA = %reldir%/tranter.conf.example
