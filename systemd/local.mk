unit_templates = %reldir%/tranter.service.in %reldir%/tranter.sysusers.in %reldir%/tranter.tmpfiles.in
EXTRA_DIST += $(unit_templates) %reldir%/tranter.socket
CLEANFILES += %reldir%/tranter.service %reldir%/tranter.sysusers %reldir%/tranter.tmpfiles

if INSTALL_UNITS
unitdir = $(systemdsystemunitdir)
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_unit_DATA = %reldir%/tranter.socket
nodist_unit_DATA = %reldir%/tranter.service

install-data-hook: install-systemd
install-systemd: %reldir%/tranter.sysusers %reldir%/tranter.tmpfiles
	$(MKDIR_P) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(tmpfilesdir)
	$(INSTALL_DATA) %reldir%/tranter.sysusers $(DESTDIR)$(sysusersdir)/tranter.conf
	$(INSTALL_DATA) %reldir%/tranter.tmpfiles $(DESTDIR)$(tmpfilesdir)/tranter.conf
uninstall-hook: uninstall-systemd
uninstall-systemd:
	rm -f $(DESTDIR)$(sysusersdir)/tranter.conf $(DESTDIR)$(tmpfilesdir)/tranter.conf
.PHONY: install-systemd uninstall-systemd
endif

# configure cannot do this: sbindir holds ${exec_prefix} until make knows it. The
# brackets keep it from trying.
fill_in = $(AM_V_GEN)$(MKDIR_P) %reldir% && sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@localstatedir[@]|$(localstatedir)|g' < $< > $@

%reldir%/tranter.service: %reldir%/tranter.service.in Makefile
	$(fill_in)
%reldir%/tranter.sysusers: %reldir%/tranter.sysusers.in Makefile
	$(fill_in)
%reldir%/tranter.tmpfiles: %reldir%/tranter.tmpfiles.in Makefile
	$(fill_in)
