using System.Diagnostics;
using System.Globalization;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>Processor usage of a server that waits for a silent client.</summary>
[Collection<Alone>]
public class StalledWorkTests
{
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task Stalled_append_uses_no_processor_time()
    {
        string directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;
        try
        {
            await using ChildHost child = await ChildHost.StartAsync(directory, "ResumableUploads:FileSystem:Durability=ProcessCrash", "Progress=true");
            var connections = new List<RawConnection>();
            try
            {
                for (int i = 0; i < 4; i++)
                {
                    string url = await child.Client.CreateAsync("/upload", 1_000_000, ("Upload-Metadata", "filename YQ=="));
                    RawConnection connection = await RawConnection.OpenAsync(child.Address);
                    connections.Add(connection);
                    await connection.SendHeadAsync(
                        $"PATCH {url}", "Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", "Upload-Offset: 0", "Content-Length: 1000000");
                    await connection.SendAsync(new byte[1_000]);
                    await child.PrintsAsync(static line => line.StartsWith("progress", StringComparison.Ordinal));
                }

                TimeSpan least = await MeasureAsync(child);
                TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"processor time of 5 s: {least.TotalMilliseconds:F0} ms"));
                if (least > Limit)
                {
                    // On a slow machine, the same server needs about as much without the appends.
                    await CloseAsync(connections);
                    TimeSpan idle = await MeasureAsync(child);
                    Assert.InRange(least, TimeSpan.Zero, idle + Limit);
                }
            }
            finally
            {
                await CloseAsync(connections);
            }
        }
        finally
        {
            UploadDirectory.Delete(directory);
        }
    }

    /// <summary>Returns the lowest of several measurements, because startup work continues for a few seconds.</summary>
    private static async Task<TimeSpan> MeasureAsync(ChildHost child)
    {
        TimeSpan least = TimeSpan.MaxValue;
        using Process process = Process.GetProcessById(child.Id);
        for (int i = 0; i < 10 && least > Limit; i++)
        {
            process.Refresh();
            TimeSpan before = process.TotalProcessorTime;
            await Task.Delay(Stall, TimeProvider.System);
            process.Refresh();
            TimeSpan used = process.TotalProcessorTime - before;
            least = used < least ? used : least;
        }

        return least;
    }

    private static async Task CloseAsync(List<RawConnection> connections)
    {
        foreach (RawConnection connection in connections)
        {
            await connection.DisposeAsync();
        }

        connections.Clear();
    }
}
