using System.Net.Http.Headers;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>Creations with a body (tus 1.0.0, Creation With Upload).</summary>
public class TusCreationWithUploadTests
{
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Body_of_creation_is_the_first_chunk(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, [1, 2, 3], ("Upload-Length", "5"));
        Assert.Equal((201, "3"), ((int)created.StatusCode, created.Header("Upload-Offset")));
        string url = created.Header("Location")!;
        Assert.Equal(3, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 3, [4, 5]).StatusOfAsync());
        Assert.Equal([1, 2, 3, 4, 5], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Body_of_creation_may_complete_the_upload(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, [1, 2, 3], ("Upload-Length", "3"));
        Assert.Equal((201, "3"), ((int)created.StatusCode, created.Header("Upload-Offset")));
        Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
        Assert.Equal(3, await app.Client.OffsetAsync(created.Header("Location")!));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Body_of_creation_with_deferred_length_is_stored(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, [1, 2, 3], ("Upload-Defer-Length", "1"));
        Assert.Equal((201, "3"), ((int)created.StatusCode, created.Header("Upload-Offset")));
        Assert.Equal(204, await app.Client.AppendChunkAsync(created.Header("Location")!, 3, [], ("Upload-Length", "3")).StatusOfAsync());
        Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [InlineData("ready-made", 3, 415)]
    [InlineData("mapped", 3, 415)]
    [InlineData("endpoint", 3, 415)]
    [InlineData("ready-made", 0, 201)]
    [InlineData("endpoint", 0, 201)]
    public async Task Body_of_another_content_type_returns_415(string place, int length, int status)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using var request = new HttpRequestMessage(HttpMethod.Post, TusApp.Url) { Content = new ByteArrayContent(new byte[length]) };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Length", "5");
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        Assert.Equal(status, await app.Client.SendAsync(request).StatusOfAsync());
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Body_longer_than_length_returns_413_and_creates_nothing(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using HttpResponseMessage rejected = await app.Client.TusAsync("POST", TusApp.Url, new byte[6], ("Upload-Length", "5"));
        Assert.Equal((413, null), ((int)rejected.StatusCode, rejected.Header("Location")));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Creation_whose_body_failed_returns_Location(string place)
    {
        var store = new FailingStore { AppendFailure = StoreFailure.Full };
        await using TusApp app = await TusApp.StartAsync(place, options => options.Store = store);
        using HttpResponseMessage failed = await app.Client.TusAsync("POST", TusApp.Url, new byte[5], ("Upload-Length", "5"));
        Assert.Equal(507, (int)failed.StatusCode);
        string url = failed.Header("Location")!;
        store.AppendFailure = null;
        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, new byte[5]).StatusOfAsync());
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Creation_whose_handler_asks_to_retry_returns_Location(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, answer: static call => call == 1 ? new HandlerResponse(503, "later") : null);
        using HttpResponseMessage failed = await app.Client.TusAsync("POST", TusApp.Url, new byte[5], ("Upload-Length", "5"));
        Assert.Equal((503, "later", "5"), ((int)failed.StatusCode, await failed.Content.ReadAsStringAsync(), failed.Header("Upload-Offset")));
        Assert.Equal(204, await app.Client.AppendChunkAsync(failed.Header("Location")!, 5, []).StatusOfAsync());
        Assert.Equal(2, app.Seen.Count);
    }
}
