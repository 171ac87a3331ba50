using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Protocols.Ietf;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Ietf;

/// <summary>
/// A plain upload task of an iPhone to an endpoint of the app, byte by byte as <c>URLSession</c> sends it: the whole file in one POST, and after a cut the rest of it.
/// </summary>
public class UrlSessionTests
{
    private const int Half = 500_000;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(2 * Half);

    [Theory]
    [InlineData(3, "Upload-Incomplete: ?0", null)]
    [InlineData(5, "Upload-Complete: ?1", null)]
    [InlineData(6, "Upload-Complete: ?1", "application/partial-upload")]
    public async Task A_plain_POST_goes_on_after_a_cut_and_is_answered_by_the_endpoint(int version, string whole, string? partType)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        string dialect = $"Upload-Draft-Interop-Version: {version}";
        string url;
        await using (RawConnection first = await RawConnection.OpenAsync(app.App.Address))
        {
            await first.SendHeadAsync($"POST {IetfApp.Url}", dialect, whole, "Content-Type: video/quicktime", $"Content-Length: {File.Length}", "User-Agent: App/1 CFNetwork/1490 Darwin/23");
            RawResponse announced = (await first.ReadResponseAsync())!;
            Assert.Equal(104, announced.Status);
            url = announced.Header("Location")!;
            await first.SendAsync(File.AsMemory(0, Half));
            await app.WaitingAsync(url, Half);
            first.Reset();
        }

        await using RawConnection second = await RawConnection.OpenAsync(app.App.Address);
        await second.SendHeadAsync($"HEAD {url}", dialect);
        RawResponse state = (await second.ReadResponseAsync(toHead: true))!;
        Assert.Equal((204, $"{Half}"), (state.Status, state.Header("Upload-Offset")));
        await second.SendHeadAsync(
            $"PATCH {url}",
            [dialect, $"Upload-Offset: {Half}", $"Content-Length: {File.Length - Half}", .. version == 3 ? (string[])[] : [whole], .. partType is null ? (string[])[] : [$"Content-Type: {partType}"]]);
        await second.SendAsync(File.AsMemory(Half));
        RawResponse answer;
        while ((answer = (await second.ReadResponseAsync())!).Status == 104)
        {
            Assert.Null(answer.Header("Location"));
        }

        Assert.Equal((204, "?1"), (answer.Status, version == 3 ? (answer.Header("Upload-Incomplete") == "?0" ? "?1" : null) : answer.Header("Upload-Complete")));
        Seen seen = Assert.Single(app.App.Seen);
        Assert.Equal("video/quicktime", seen.ContentType);
        Assert.Equal(File, seen.Content);
    }

    [Fact]
    public async Task An_endpoint_that_is_not_resumable_sees_the_same_request_as_ever()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.ReadyMade);
        await using RawConnection connection = await RawConnection.OpenAsync(app.App.Address);
        await connection.SendHeadAsync("POST /elsewhere", "Upload-Draft-Interop-Version: 6", "Upload-Complete: ?1", "Content-Length: 5");
        await connection.SendAsync("12345");
        RawResponse answer = (await connection.ReadResponseAsync())!;
        Assert.Equal((404, null), (answer.Status, answer.Header("Upload-Offset")));
    }
}
