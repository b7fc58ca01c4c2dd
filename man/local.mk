dist_man_MANS = %reldir%/sendmail.8 %reldir%/tranter.conf.5 %reldir%/tranterctl.8 %reldir%/tranterd.8
