using System.Net.Http.Headers;

namespace ResumableUploads.Cli.Running;

internal static class HttpClientFactory
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Creates the client of all uploads. The proxy is that of the standard environment variables.</summary>
    public static HttpClient Create()
    {
        var handler = new SocketsHttpHandler
        {
            // A redirect would send the headers of the user to another server. A sign-in page is no upload endpoint either.
            AllowAutoRedirect = false,

            // A cookie that only lasts until the end of this process would make its uploads those of another user.
            UseCookies = false,
            ConnectTimeout = ConnectTimeout,
        };
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("resup", Product.Version));
        return client;
    }
}
