noinst_LIBRARIES += %reldir%/libnet.a
%canon_reldir%_libnet_a_CPPFLAGS = $(base_I) $(tls_I) $(net_I) $(EVENT_CFLAGS)
%canon_reldir%_libnet_a_SOURCES = \
	%reldir%/conn.h \
	%reldir%/dial.h \
	%reldir%/listener.h \
	%reldir%/loop.h
