using System.Net;
using System.Text.Json;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Dashboard;

public class DashboardEventsTests
{
    private const int Size = 100_000;

    [Fact]
    public async Task Events_show_the_progress_of_a_running_append()
    {
        await using DashboardApp app = await StartAsync();
        await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.ContentLength, app.App.Address, "f", 0, Size, Size);
        await sender.SendAsync(new byte[1000]);
        using HttpResponseMessage response = await OpenAsync(app);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        JsonElement update = await ReadUntilAsync(reader, static update => update.GetProperty("uploads").EnumerateArray().Any(static upload => upload.GetProperty("offset").GetInt64() >= 1000));
        Assert.Equal("1", update.GetProperty("numbers").GetProperty("appends").GetString());
        await sender.SendAsync(new byte[Size - 1000]);
        await ReadUntilAsync(reader, static update => update.GetProperty("uploads").EnumerateArray().Any(static upload => upload.GetProperty("state").GetString() == "Completed"));
    }

    [Fact]
    public async Task Events_do_not_repeat_a_search_by_id()
    {
        await using DashboardApp app = await StartAsync();
        (await app.App.Client.AppendAsync("f", 0, new byte[3], 6)).Dispose();
        using HttpResponseMessage response = await app.Operator.GetAsync("/uploads/events?id=a", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        JsonElement update = await ReadUntilAsync(reader, static _ => true);
        Assert.Equal((JsonValueKind.Null, false), (update.GetProperty("uploads").ValueKind, update.GetProperty("isListLive").GetBoolean()));
        Assert.Equal("0", update.GetProperty("numbers").GetProperty("appends").GetString());
    }

    [Fact]
    public async Task Events_end_with_their_client_and_free_their_place()
    {
        await using DashboardApp app = await StartAsync(1);
        using (HttpResponseMessage first = await OpenAsync(app))
        {
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            using HttpResponseMessage second = await OpenAsync(app);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, second.StatusCode);
        }

        await Eventually.TrueAsync(
            async () =>
            {
                using HttpResponseMessage third = await OpenAsync(app);
                return third.StatusCode == HttpStatusCode.OK;
            },
            "the place of the first connection is free");
    }

    [Fact]
    public async Task Events_end_when_the_server_stops()
    {
        await using DashboardApp app = await StartAsync();
        using HttpResponseMessage response = await OpenAsync(app);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.StartsWith("data: ", await reader.ReadLineAsync(), StringComparison.Ordinal);

        Task stop = app.App.DisposeAsync().AsTask();

        await Eventually.WithinAsync(reader.ReadToEndAsync());
        await stop;
    }

    private static Task<DashboardApp> StartAsync(int maxConnections = 8) => DashboardApp.StartAsync(options =>
    {
        options.UpdateInterval = TimeSpan.FromSeconds(0.5);
        options.MaxLiveConnections = maxConnections;
    });

    private static Task<HttpResponseMessage> OpenAsync(DashboardApp app) => app.Operator.GetAsync("/uploads/events", HttpCompletionOption.ResponseHeadersRead);

    private static async Task<JsonElement> ReadUntilAsync(StreamReader reader, Func<JsonElement, bool> condition)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal) && JsonSerializer.Deserialize<JsonElement>(line["data: ".Length..]) is var update && condition(update))
            {
                return update;
            }
        }

        throw new InvalidOperationException("The events ended before the condition was met.");
    }
}
