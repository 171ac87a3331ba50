using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Protocols.Ietf;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Ietf;

/// <summary>
/// Replays the requests that an upload task of <c>URLSession</c> sends on iOS: the whole file in one POST, and the rest of it after an interruption.
/// </summary>
public class UrlSessionTests
{
    private const int Half = 500_000;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(2 * Half);

    [Theory]
    [InlineData(3, "Upload-Incomplete: ?0", null)]
    [InlineData(5, "Upload-Complete: ?1", null)]
    [InlineData(6, "Upload-Complete: ?1", "application/partial-upload")]
    public async Task POST_resumed_after_interruption_returns_endpoint_response(int version, string completeHeader, string? partType)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.Endpoint);
        string versionHeader = $"Upload-Draft-Interop-Version: {version}";
        string url;
        await using (RawConnection first = await RawConnection.OpenAsync(app.App.Address))
        {
            await first.SendHeadAsync($"POST {IetfApp.Url}", versionHeader, completeHeader, "Content-Type: video/quicktime", $"Content-Length: {File.Length}", "User-Agent: App/1 CFNetwork/1490 Darwin/23");
            RawResponse interim = (await first.ReadResponseAsync())!;
            Assert.Equal(104, interim.Status);
            url = interim.Header("Location")!;
            await first.SendAsync(File.AsMemory(0, Half));
            await app.WaitingAsync(url, Half);
            first.Reset();
        }

        await using RawConnection second = await RawConnection.OpenAsync(app.App.Address);
        await second.SendHeadAsync($"HEAD {url}", versionHeader);
        RawResponse state = (await second.ReadResponseAsync(toHead: true))!;
        Assert.Equal((204, $"{Half}"), (state.Status, state.Header("Upload-Offset")));
        await second.SendHeadAsync(
            $"PATCH {url}",
            [versionHeader, $"Upload-Offset: {Half}", $"Content-Length: {File.Length - Half}", .. version == 3 ? (string[])[] : [completeHeader], .. partType is null ? (string[])[] : [$"Content-Type: {partType}"]]);
        await second.SendAsync(File.AsMemory(Half));
        RawResponse response;
        while ((response = (await second.ReadResponseAsync())!).Status == 104)
        {
            Assert.Null(response.Header("Location"));
        }

        Assert.Equal((204, "?1"), (response.Status, version == 3 ? (response.Header("Upload-Incomplete") == "?0" ? "?1" : null) : response.Header("Upload-Complete")));
        ReceivedFile file = Assert.Single(app.App.Seen);
        Assert.Equal("video/quicktime", file.ContentType);
        Assert.Equal(File, file.Content);
    }

    [Fact]
    public async Task Endpoint_that_is_not_resumable_receives_request_unchanged()
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(TusApp.ReadyMade);
        await using RawConnection connection = await RawConnection.OpenAsync(app.App.Address);
        await connection.SendHeadAsync("POST /elsewhere", "Upload-Draft-Interop-Version: 6", "Upload-Complete: ?1", "Content-Length: 5");
        await connection.SendAsync("12345");
        RawResponse response = (await connection.ReadResponseAsync())!;
        Assert.Equal((404, null), (response.Status, response.Header("Upload-Offset")));
    }
}
