using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>How often the completion handler runs, and how its response is sent (docs/protocols/tus.md#the-applications-response).</summary>
public class TusHandlerTests
{
    private static readonly byte[] File = [1, 2, 3, 4, 5, 6];

    public static TheoryData<string, string> Scenarios
    {
        get
        {
            var scenarios = new TheoryData<string, string>();
            foreach (string place in new[] { TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint })
            {
                foreach (string scenario in new[] { "one chunk", "many chunks", "empty chunks", "last chunk again", "deferred", "no bytes", "with the creation" })
                {
                    scenarios.Add(place, scenario);
                }
            }

            return scenarios;
        }
    }

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Handler_runs_once_however_the_upload_ends(string place, string scenario)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        byte[] file = scenario == "no bytes" ? [] : File;
        await SendAsync(app.Client, scenario);
        Assert.Equal(file, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Response_4xx_of_the_handler_is_final(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, answer: static _ => new HandlerResponse(422, "no cats"));
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, i == 0 ? 0 : File.Length, i == 0 ? File : []);
            Assert.Equal((422, "6", "no cats"), ((int)last.StatusCode, last.Header("Upload-Offset"), await last.Content.ReadAsStringAsync()));
        }

        Assert.Single(app.Seen);
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, File, ("Upload-Length", "6"));
        Assert.Equal(422, (int)created.StatusCode);
        Assert.Equal(6, await app.Client.OffsetAsync(created.Header("Location")!));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Response_5xx_of_the_handler_is_not_final(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place, answer: static call => call < 3 ? new HandlerResponse(500, "try again") : new HandlerResponse(200, "well"));
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        for (int i = 0; i < 4; i++)
        {
            using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, i == 0 ? 0 : File.Length, i == 0 ? File : []);
            Assert.Equal((i < 2 ? 500 : 204, "6"), ((int)last.StatusCode, last.Header("Upload-Offset")));
        }

        Assert.Equal(6, await app.Client.OffsetAsync(url));
        Assert.Equal(3, app.Seen.Count);
    }

    private static async Task SendAsync(HttpClient client, string scenario)
    {
        switch (scenario)
        {
            case "one chunk":
                await PatchSucceedsAsync(client, await client.CreateAsync(TusApp.Url, 6), 0, File);
                break;
            case "many chunks":
            case "empty chunks":
            case "last chunk again":
                string url = await client.CreateAsync(TusApp.Url, 6);
                for (int i = 0; i < 6; i++)
                {
                    await PatchSucceedsAsync(client, url, i, [File[i]]);
                }

                for (int i = 0; i < 3 && scenario == "empty chunks"; i++)
                {
                    await PatchSucceedsAsync(client, url, 6, []);
                }

                if (scenario == "last chunk again")
                {
                    Assert.Equal(409, await client.AppendChunkAsync(url, 5, [File[5]]).StatusOfAsync());
                }

                break;
            case "deferred":
                string later = await client.CreateDeferredAsync(TusApp.Url);
                await PatchSucceedsAsync(client, later, 0, File);
                Assert.Equal(204, await client.AppendChunkAsync(later, 6, [], ("Upload-Length", "6")).StatusOfAsync());
                Assert.Equal(204, await client.AppendChunkAsync(later, 6, [], ("Upload-Length", "6")).StatusOfAsync());
                break;
            case "no bytes":
                string empty = await client.CreateAsync(TusApp.Url, 0);
                await PatchSucceedsAsync(client, empty, 0, []);
                break;
            default:
                using (HttpResponseMessage created = await client.TusAsync("POST", TusApp.Url, File, ("Upload-Length", "6")))
                {
                    Assert.Equal(201, (int)created.StatusCode);
                    await PatchSucceedsAsync(client, created.Header("Location")!, 6, []);
                }

                break;
        }
    }

    private static async Task PatchSucceedsAsync(HttpClient client, string url, long offset, byte[] body) =>
        Assert.Equal(204, await client.AppendChunkAsync(url, offset, body).StatusOfAsync());
}
