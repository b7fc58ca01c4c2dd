noinst_LIBRARIES += %reldir%/libtools.a
%canon_reldir%_libtools_a_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I) \
	-DSUBMISSION_SOCKET='"$(runstatedir)/tranter/smtp.sock"' \
	-DDROP_DIRECTORY='"$(localstatedir)/spool/tranter/drop"'
%canon_reldir%_libtools_a_SOURCES = \
	%reldir%/ask.c %reldir%/ask.h \
	%reldir%/canon.c %reldir%/canon.h \
	%reldir%/drop.c %reldir%/drop.h \
	%reldir%/drop_list.c %reldir%/drop_list.h \
	%reldir%/handover.c %reldir%/handover.h \
	%reldir%/identity.c %reldir%/identity.h \
	%reldir%/intake.c %reldir%/intake.h \
	%reldir%/options.c %reldir%/options.h \
	%reldir%/reach.c %reldir%/reach.h \
	%reldir%/recipients.c %reldir%/recipients.h \
	%reldir%/say.c %reldir%/say.h \
	%reldir%/session.c %reldir%/session.h \
	%reldir%/source.c %reldir%/source.h \
	%reldir%/submission.c %reldir%/submission.h \
	%reldir%/submit.c %reldir%/submit.h
tools_I = -I$(top_srcdir)/src/tools
tools_LIBS = src/tools/libtools.a $(smtp_LIBS)

# The shim: libc alone at run time, so that it starts in the time of a fork and an exec.
pkglibexec_PROGRAMS += %reldir%/sendmail
%canon_reldir%_sendmail_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I)
%canon_reldir%_sendmail_SOURCES = %reldir%/sendmail.c
%canon_reldir%_sendmail_LDADD = $(tools_LIBS)

bin_PROGRAMS += %reldir%/tranterctl
%canon_reldir%_tranterctl_CPPFLAGS = $(base_I) $(mail_I) $(smtp_I) $(tls_I) $(store_I) $(view_I) $(net_I) \
	$(conf_I) $(diagnose_I) $(JANSSON_CFLAGS) \
	-DCONFIG_FILE='"$(sysconfdir)/tranter/tranter.conf"' \
	-DCONTROL_SOCKET='"$(runstatedir)/tranter/control.sock"'
%canon_reldir%_tranterctl_SOURCES = \
	%reldir%/command.h \
	%reldir%/command_ask.c \
	%reldir%/command_words.c \
	%reldir%/spool_answer.c %reldir%/spool_answer.h \
	%reldir%/command_check.c %reldir%/command_why.c \
	%reldir%/command_diagnose.c \
	%reldir%/owner.c %reldir%/owner.h \
	%reldir%/tranterctl.c
%canon_reldir%_tranterctl_LDADD = src/tools/libtools.a $(view_LIBS) $(diagnose_LIBS) $(JANSSON_LIBS)

# The names under which the shim is called. They are relative, so that they hold beneath DESTDIR
# and in a chroot. $$name is where a link goes, $$target what it says.
sendmail_links = $(sbindir)/sendmail $(exec_prefix)/lib/sendmail $(bindir)/mailq $(bindir)/newaliases
for_sendmail_links = for name in $(sendmail_links); do \
	common=`dirname "$$name"`; up=; \
	while base=$${common%/}; case '$(pkglibexecdir)' in "$$base"/*) false ;; esac; do \
		common=`dirname "$$common"`; up="../$$up"; \
	done; \
	shim='$(pkglibexecdir)/sendmail'; target="$$up$${shim\#$$base/}";

if SENDMAIL_LINKS
install-exec-hook: install-sendmail-links
install-sendmail-links: install-pkglibexecPROGRAMS
	@$(for_sendmail_links) \
		at="$(DESTDIR)$$name"; \
		if test -e "$$at" && test ! -h "$$at"; then \
			echo "$$at is another mail system's; remove it, or use ./configure --disable-sendmail-links" >&2; \
			exit 1; \
		fi; \
		$(MKDIR_P) "`dirname "$$at"`" && rm -f "$$at" && $(LN_S) "$$target" "$$at" || exit 1; \
		echo " $(LN_S) $$target $$at"; \
	done

uninstall-hook: uninstall-sendmail-links
uninstall-sendmail-links:
	@$(for_sendmail_links) \
		at="$(DESTDIR)$$name"; \
		if test "`readlink "$$at"`" = "$$target"; then rm -f "$$at" || exit 1; fi; \
	done

.PHONY: install-sendmail-links uninstall-sendmail-links
endif
