using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>The response time for a client that reconnects while its previous connection is half-open.</summary>
[Collection<Alone>]
public class HalfOpenLatencyTests
{
    private const int Held = 256 * 1024;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(Held + 1_000);

    [Theory]
    [InlineData(Wire.ContentLength)]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public Task Status_during_half_open_append_waits_for_no_timer(Wire wire) => AssertAsync(wire, StatusAsync);

    [Theory]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public Task Append_during_half_open_append_waits_for_no_timer(Wire wire) => AssertAsync(wire, AppendAsync);

    [Theory]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public Task Delete_during_half_open_append_waits_for_no_timer(Wire wire) => AssertAsync(wire, DeleteAsync);

    /// <summary>The duration of an fsync depends on the disk, so it is reported but not asserted.</summary>
    [Fact]
    public async Task Status_with_power_loss_durability_is_exact_and_its_latency_is_reported()
    {
        await using WatchedApp app = await WatchedApp.StartAsync(durability: Durability.PowerLoss, time: Latency.StoppedClock());
        await Latency.LowestAsync("Status with an fsync", i => MeasureAsync(app, Wire.Chunked, $"f{i}", StatusAsync));
    }

    private static async Task AssertAsync(Wire wire, Func<HttpClient, string, Task> nextRequest)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire, time: Latency.StoppedClock());
        await Latency.AssertAsync($"{nextRequest.Method.Name}, {wire}", i => MeasureAsync(app, wire, $"f{i}", nextRequest));
    }

    private static async Task<TimeSpan> MeasureAsync(WatchedApp app, Wire wire, string fileId, Func<HttpClient, string, Task> nextRequest)
    {
        await using LiveUpload silent = await app.BeginAsync(wire, fileId, 0, File.Length, File.Length);
        await silent.SendAsync(File.AsMemory(0, Held));
        await app.Store.WaitingAsync(fileId, Held);
        return await Latency.OfAsync(() => nextRequest(app.Client, fileId));
    }

    private static async Task StatusAsync(HttpClient client, string fileId) => Assert.Equal(Held, await client.StatusAsync(fileId));

    private static async Task AppendAsync(HttpClient client, string fileId)
    {
        using HttpResponseMessage response = await client.AppendAsync(fileId, Held, File[Held..], File.Length);
        Assert.Equal("true", response.Header("X-Upload-Complete"));
    }

    private static async Task DeleteAsync(HttpClient client, string fileId)
    {
        using HttpResponseMessage response = await client.DeleteUploadAsync(fileId);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }
}
