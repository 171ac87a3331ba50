using System.Diagnostics;
using System.Net;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ResumableUploads.AzureBlobs;
using ResumableUploads.Benchmarks.Measuring;

namespace ResumableUploads.Benchmarks.Cases.Takeovers;

/// <summary>
/// Measures a status request to one server while a connection with a running append to another server is silent. Both share a container of the account whose connection string
/// is in the environment variable <c>RESUMABLE_UPLOADS_AZURE</c>.
/// </summary>
internal static class AzureTakeoverCase
{
    private const int Rounds = 200;
    private const int WarmUps = 20;
    private const int ChunkSize = 64 * 1024;
    private const long Size = 1L << 30;
    private static readonly TimeSpan SyncInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan StepTimeout = TimeSpan.FromSeconds(20);

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        if (Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_AZURE") is not { Length: > 0 } connectionString)
        {
            return;
        }

        double[] times = MeasureAsync(connectionString).GetAwaiter().GetResult();
        report.AddAbsolute("takeover, Azure", $"ms to the status, median of {Rounds}", "0.00", Statistics.Percentile(times, 50));
        report.AddAbsolute("takeover, Azure", $"ms to the status, p99 of {Rounds}", "0.00", Statistics.Percentile(times, 99), atMost: 300);
    }

    private static async Task<double[]> MeasureAsync(string connectionString)
    {
        var container = new BlobContainerClient(connectionString, $"benchmark-{Guid.NewGuid():N}", AzureBlobUploadStore.CreateClientOptions());
        await container.CreateAsync();
        try
        {
            var options = new AzureBlobUploadStoreOptions { SyncInterval = SyncInterval };
            var observer = new AzureBlobUploadStore(container, options);
            await using WebApplication first = await StartAsync(new AzureBlobUploadStore(container, options));
            await using WebApplication second = await StartAsync(observer);
            return await MeasureAsync(GetPort(first), GetPort(second), observer);
        }
        finally
        {
            await container.DeleteAsync();
        }
    }

    private static async Task<double[]> MeasureAsync(int port, int otherPort, AzureBlobUploadStore observer)
    {
        using RawHttpConnection statusConnection = RawHttpConnection.Open(otherPort);
        byte[] status = RawHttpConnection.CreateRequestHead("GET /status", "X-File-Id: takeover");
        byte[] chunk = new byte[ChunkSize];
        var times = new List<double>();
        for (int round = 0; round < WarmUps + Rounds; round++)
        {
            long offset = (long)round * ChunkSize;
            using RawHttpConnection silent = RawHttpConnection.Open(port);
            silent.Send(RawHttpConnection.CreateRequestHead(
                "POST /upload", "X-File-Id: takeover", $"X-Start-Byte: {offset}", $"X-File-Size: {Size}", $"Content-Length: {Size - offset}", "Expect: 100-continue"));
            silent.ReadResponse().ExpectStatus(100);
            silent.Send(chunk);
            await AwaitOffsetAsync(observer, offset + ChunkSize);

            long start = Stopwatch.GetTimestamp();
            long statusOffset = statusConnection.SendAndReceive(status).ExpectStatus(200);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (statusOffset != offset + ChunkSize)
            {
                throw new InvalidOperationException($"The status is {statusOffset} instead of {offset + ChunkSize}.");
            }

            if (round >= WarmUps)
            {
                times.Add(elapsed);
            }
        }

        return [.. times];
    }

    private static async Task AwaitOffsetAsync(AzureBlobUploadStore observer, long offset)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await observer.ListAsync(new UploadQuery(), CancellationToken.None).AnyAsync(info => info.Offset >= offset))
        {
            if (Stopwatch.GetElapsedTime(start) > StepTimeout)
            {
                throw new TimeoutException("The server did not write the sent bytes in time.");
            }
        }
    }

    private static async Task<WebApplication> StartAsync(AzureBlobUploadStore store)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        app.UseResumableUploads(options => options.Store = store);
        await app.StartAsync();
        return app;
    }

    private static int GetPort(WebApplication app) =>
        new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
}
