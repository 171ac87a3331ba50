# /etc/varnish/default.vcl
vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "5080";
}

sub vcl_recv {
    # Uploads are not cached: Varnish forwards their bytes in both directions without change.
    if (req.url ~ "^/upload") {
        return (pipe);
    }
}
