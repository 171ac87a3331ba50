using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>The response time for a client that reconnects while its previous connection is half-open.</summary>
[Collection<Alone>]
public class HalfOpenLatencyTests
{
    private const int Rounds = 20;
    private const int WarmupRounds = 5;
    private const int Held = 256 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(50);
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(Held + 1_000);

    [Theory]
    [InlineData(Wire.ContentLength)]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Status_during_half_open_append_completes_within_50_ms(Wire wire) =>
        Assert.InRange(await MedianAsync(wire, Durability.ProcessCrash, StatusAsync), TimeSpan.Zero, Limit);

    [Theory]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Append_during_half_open_append_completes_within_50_ms(Wire wire) =>
        Assert.InRange(await MedianAsync(wire, Durability.ProcessCrash, AppendAsync), TimeSpan.Zero, Limit);

    [Theory]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Delete_during_half_open_append_completes_within_50_ms(Wire wire) =>
        Assert.InRange(await MedianAsync(wire, Durability.ProcessCrash, DeleteAsync), TimeSpan.Zero, Limit);

    /// <summary>The duration of an fsync depends on the disk, so it is reported but not asserted.</summary>
    [Fact]
    public async Task Status_with_power_loss_durability_is_exact_and_its_latency_is_reported() =>
        await MedianAsync(Wire.Chunked, Durability.PowerLoss, StatusAsync);

    private static async Task<TimeSpan> MedianAsync(Wire wire, Durability durability, Func<HttpClient, string, Task> nextRequest)
    {
        await using WatchedApp app = await WatchedApp.StartAsync(wire, durability: durability);
        var times = new List<TimeSpan>();
        for (int i = 0; i < WarmupRounds + Rounds; i++)
        {
            string fileId = $"f{i}";
            await using LiveUpload silent = await app.BeginAsync(wire, fileId, 0, File.Length, File.Length);
            await silent.SendAsync(File.AsMemory(0, Held));
            await app.Store.WaitingAsync(fileId, Held);

            long start = Stopwatch.GetTimestamp();
            await nextRequest(app.Client, fileId);
            if (i >= WarmupRounds)
            {
                times.Add(Stopwatch.GetElapsedTime(start));
            }
        }

        times.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{nextRequest.Method.Name}, {wire}, {durability}: median {times[Rounds / 2].TotalMilliseconds:F2} ms, maximum {times[^1].TotalMilliseconds:F2} ms"));
        return times[Rounds / 2];
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
