using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Upload cancellation and concurrency (draft-ietf-httpbis-resumable-upload-12, sections 4.5 and 4.6).</summary>
public class IetfCancellationTests
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(3 * MiB);

    public static TheoryData<string, string> Everywhere => IetfApp.Everywhere;

    public static TheoryData<int> Versions => IetfClient.Versions;

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task DELETE_returns_204_and_removes_upload(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, [1, 2, 3]);
        string url = created.Header("Location")!;
        using HttpResponseMessage deleted = await app.Client.IetfAsync("DELETE", url, Newest);
        Assert.Equal((204, "no-store"), ((int)deleted.StatusCode, deleted.Header("Cache-Control")));
        Assert.Null(await app.Client.StateAsync(url));
        using HttpResponseMessage append = await app.Client.AppendAsync(url, 3, true, [4]);
        Assert.Equal(404, (int)append.StatusCode);
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Other_methods_return_405_with_Allow(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.BeginAsync(version);
        using HttpResponseMessage rejected = await app.Client.IetfAsync("POST", url, version, new ByteArrayContent([1]), Completeness(version, true));
        await rejected.ProblemAsync(405, Own + "method-not-allowed");
        Assert.Equal("GET, HEAD, PATCH, DELETE, OPTIONS", string.Join(", ", rejected.Content.Headers.Allow));
    }

    [Theory]
    [InlineData(TusApp.ReadyMade, true)]
    [InlineData(TusApp.Endpoint, false)]
    public async Task DELETE_stops_running_append_before_it_responds(string place, bool isChunked)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(place);
        (string url, RawConnection stalled) = await app.StallAsync(File, MiB, isChunked);
        await using (stalled)
        {
            using HttpResponseMessage deleted = await app.Client.IetfAsync("DELETE", url, Newest);
            Assert.Equal(204, (int)deleted.StatusCode);
            Assert.Equal(0, app.RunningOf(url));
            Assert.Null(await app.Client.StateAsync(url));

            // The preempted request gets a response if its client still listens.
            Assert.Equal(409, (await stalled.ReadResponseAsync())?.Status);
        }
    }

    [Theory]
    [InlineData("HEAD", true)]
    [InlineData("HEAD", false)]
    [InlineData("GET", true)]
    [InlineData("GET", false)]
    public async Task Status_preempts_running_append_and_returns_final_offset(string method, bool isChunked)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        (string url, RawConnection stalled) = await app.StallAsync(File, MiB, isChunked);
        await using (stalled)
        {
            using HttpResponseMessage state = await app.Client.IetfAsync(method, url, Newest);
            Assert.Equal((204, $"{MiB}", "?0"), state.State());
            Assert.Equal(0, app.RunningOf(url));
            Assert.Equal(409, (await stalled.ReadResponseAsync())?.Status);
            Assert.Equal((MiB, false), await app.Client.StateAsync(url));
            using HttpResponseMessage last = await app.Client.AppendAsync(url, MiB, true, File[MiB..]);
            Assert.Equal("?1", last.Header("Upload-Complete"));
        }

        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Theory]
    [InlineData(TusApp.ReadyMade, true)]
    [InlineData(TusApp.Mapped, false)]
    [InlineData(TusApp.Endpoint, true)]
    public async Task New_append_preempts_running_append_at_its_offset(string place, bool isChunked)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(place);
        (string url, RawConnection stalled) = await app.StallAsync(File, MiB, isChunked);
        await using (stalled)
        {
            using HttpResponseMessage last = await app.Client.AppendAsync(url, MiB, true, File[MiB..]);
            Assert.Equal(($"{File.Length}", "?1"), (last.Header("Upload-Offset"), last.Header("Upload-Complete")));
            Assert.Equal(409, (await stalled.ReadResponseAsync())?.Status);
        }

        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Fact]
    public async Task Concurrent_appends_at_one_offset_store_at_most_one()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.BeginAsync();
        byte[][] contents = [.. Enumerable.Range(0, 20).Select(static i => RandomNumberGenerator.GetBytes(100 + i))];
        HttpResponseMessage[] responses = await Task.WhenAll(contents.Select(content => app.Client.AppendAsync(url, 0, false, content)));
        Assert.Single(responses, static response => (int)response.StatusCode == 204);
        Assert.All(responses, static response => Assert.Contains((int)response.StatusCode, new[] { 204, 409, 503 }));
        int winner = Array.FindIndex(responses, static response => (int)response.StatusCode == 204);
        using HttpResponseMessage last = await app.Client.AppendAsync(url, contents[winner].Length, true, []);
        Assert.Equal("?1", last.Header("Upload-Complete"));
        Assert.Equal(contents[winner], Assert.Single(app.App.Seen).Content);
        Array.ForEach(responses, static response => response.Dispose());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Interrupted_append_keeps_received_bytes_and_upload_incomplete(bool isCreation)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.ReadyMade);
        string? url = isCreation ? null : await app.Client.BeginAsync();
        await using (RawConnection connection = await app.BeginAsync(url, 0, File.Length, isLast: true))
        {
            url ??= (await connection.ReadResponseAsync())!.Header("Location")!;
            await connection.SendAsync(File.AsMemory(0, MiB));
            await app.WaitingAsync(url, MiB);
            connection.Reset();
        }

        Assert.Equal((MiB, false), await app.Client.StateAsync(url));
        Assert.Empty(app.App.Seen);
        using HttpResponseMessage last = await app.Client.AppendAsync(url, MiB, true, File[MiB..]);
        Assert.Equal("?1", last.Header("Upload-Complete"));
        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }
}
