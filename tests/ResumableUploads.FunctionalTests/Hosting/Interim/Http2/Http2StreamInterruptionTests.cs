using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.FunctionalTests.Protocols.Ietf;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Hosting.Interim.Http2;

/// <summary>HTTP/2 streams that are reset or stalled, with and without TLS (draft-ietf-httpbis-resumable-upload-12, sections 4.4 to 4.6).</summary>
public class Http2StreamInterruptionTests
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(2 * MiB);

    public static TheoryData<string, string> Places
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string wire in new[] { IetfApp.Http2, IetfApp.Http2Tls })
            {
                rows.Add(TusApp.ReadyMade, wire);
                rows.Add(TusApp.Endpoint, wire);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Stream_reset_keeps_received_bytes_and_upload_incomplete(string place, string wire)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(place, wire: wire);
        string url = await app.Client.BeginAsync();
        using var interrupted = new CancellationTokenSource();
        var body = new PushedBody();
        Task<HttpResponseMessage> append = Begin(app.Client, url, body, interrupted.Token);
        await SendAsync(app, url, body);
        await interrupted.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => append);

        Assert.Equal((MiB, false), await app.Client.StateAsync(url));
        using HttpResponseMessage last = await app.Client.AppendAsync(url, MiB, true, File[MiB..]);
        Assert.Equal("?1", last.Header("Upload-Complete"));
        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task New_request_on_same_connection_preempts_stalled_append(string place, string wire)
    {
        foreach (string method in new[] { "HEAD", "GET", "DELETE" })
        {
            await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(place, wire: wire);
            string url = await app.Client.BeginAsync();
            var body = new PushedBody();
            Task<HttpResponseMessage> stalled = Begin(app.Client, url, body, CancellationToken.None);
            await SendAsync(app, url, body);

            using HttpResponseMessage response = await app.Client.IetfAsync(method, url, Newest);
            Assert.Equal((204, method == "DELETE" ? null : $"{MiB}"), ((int)response.StatusCode, response.Header("Upload-Offset")));
            Assert.Equal(0, app.RunningOf(url));
            using HttpResponseMessage older = await stalled;
            await older.ProblemAsync(409, Own + "taken-over");
            body.End();
        }
    }

    private static Task<HttpResponseMessage> Begin(HttpClient client, string url, PushedBody body, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Patch, url) { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy, Content = body };
        body.Headers.TryAddWithoutValidation("Content-Type", "application/partial-upload");
        request.Headers.TryAddWithoutValidation("Upload-Draft-Interop-Version", "10");
        request.Headers.TryAddWithoutValidation("Upload-Offset", "0");
        request.Headers.TryAddWithoutValidation("Upload-Complete", "?1");
        return client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>Sends half of the file, and waits until it is stored.</summary>
    private static async Task SendAsync(ObservedIetfApp app, string url, PushedBody body)
    {
        Stream stream = await body.Stream;
        await stream.WriteAsync(File.AsMemory(0, MiB));
        await stream.FlushAsync();
        await app.WaitingAsync(url, MiB);
    }
}
