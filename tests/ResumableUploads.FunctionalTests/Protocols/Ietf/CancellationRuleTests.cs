using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Cancelling, and who comes second .</summary>
public class CancellationRuleTests
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(3 * MiB);

    public static TheoryData<string, string> Everywhere => IetfApp.Everywhere;

    public static TheoryData<int> Versions => IetfClient.Versions;

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task R90_DELETE_is_a_204_and_the_upload_is_gone(string place, string wire)
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
    public async Task R92_other_methods_are_a_405_that_names_those_that_are_there(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.BeginAsync(version);
        using HttpResponseMessage refused = await app.Client.IetfAsync("POST", url, version, new ByteArrayContent([1]), Completeness(version, true));
        await refused.ProblemAsync(405, Own + "method-not-allowed");
        Assert.Equal(version >= 9 ? "GET, HEAD, PATCH, DELETE, OPTIONS" : "HEAD, PATCH, DELETE, OPTIONS", string.Join(", ", refused.Content.Headers.Allow));
    }

    [Theory]
    [InlineData(TusApp.ReadyMade, true)]
    [InlineData(TusApp.Endpoint, false)]
    public async Task R91_what_is_under_way_has_ended_when_a_DELETE_is_answered(string place, bool isChunked)
    {
        await using WatchedIetfApp app = await WatchedIetfApp.StartAsync(place);
        (string url, RawConnection silent) = await app.StallAsync(File, MiB, isChunked);
        await using (silent)
        {
            using HttpResponseMessage deleted = await app.Client.IetfAsync("DELETE", url, Newest);
            Assert.Equal(204, (int)deleted.StatusCode);
            Assert.Equal(0, app.RunningOf(url));
            Assert.Null(await app.Client.StateAsync(url));

            // The older one is told too, where somebody still listens.
            Assert.Equal(409, (await silent.ReadResponseAsync())?.Status);
        }
    }

    [Theory]
    [InlineData("HEAD", true)]
    [InlineData("HEAD", false)]
    [InlineData("GET", true)]
    [InlineData("GET", false)]
    public async Task R102_a_question_ends_the_request_before_and_gets_the_offset_that_holds(string method, bool isChunked)
    {
        await using WatchedIetfApp app = await WatchedIetfApp.StartAsync(TusApp.Endpoint);
        (string url, RawConnection silent) = await app.StallAsync(File, MiB, isChunked);
        await using (silent)
        {
            using HttpResponseMessage state = await app.Client.IetfAsync(method, url, Newest);
            Assert.Equal((204, $"{MiB}", "?0"), state.State());
            Assert.Equal(0, app.RunningOf(url));
            Assert.Equal(409, (await silent.ReadResponseAsync())?.Status);
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
    public async Task R100_and_R102_the_next_append_goes_on_where_the_last_one_was(string place, bool isChunked)
    {
        await using WatchedIetfApp app = await WatchedIetfApp.StartAsync(place);
        (string url, RawConnection silent) = await app.StallAsync(File, MiB, isChunked);
        await using (silent)
        {
            using HttpResponseMessage last = await app.Client.AppendAsync(url, MiB, true, File[MiB..]);
            Assert.Equal(($"{File.Length}", "?1"), (last.Header("Upload-Offset"), last.Header("Upload-Complete")));
            Assert.Equal(409, (await silent.ReadResponseAsync())?.Status);
        }

        Assert.Equal(File, Assert.Single(app.App.Seen).Content);
    }

    [Fact]
    public async Task R100_of_many_appends_at_one_offset_one_counts()
    {
        await using WatchedIetfApp app = await WatchedIetfApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.BeginAsync();
        byte[][] contents = [.. Enumerable.Range(0, 20).Select(static i => RandomNumberGenerator.GetBytes(100 + i))];
        HttpResponseMessage[] answers = await Task.WhenAll(contents.Select(content => app.Client.AppendAsync(url, 0, false, content)));
        Assert.Single(answers, static answer => (int)answer.StatusCode == 204);
        Assert.All(answers, static answer => Assert.Contains((int)answer.StatusCode, new[] { 204, 409 }));
        int winner = Array.FindIndex(answers, static answer => (int)answer.StatusCode == 204);
        using HttpResponseMessage last = await app.Client.AppendAsync(url, contents[winner].Length, true, []);
        Assert.Equal("?1", last.Header("Upload-Complete"));
        Assert.Equal(contents[winner], Assert.Single(app.App.Seen).Content);
        Array.ForEach(answers, static answer => answer.Dispose());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task R51_and_R76_what_arrived_before_a_cut_is_kept_and_nothing_is_complete(bool isCreation)
    {
        await using WatchedIetfApp app = await WatchedIetfApp.StartAsync(TusApp.ReadyMade);
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
