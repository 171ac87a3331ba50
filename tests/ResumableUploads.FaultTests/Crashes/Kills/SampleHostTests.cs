using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>The sample app, started as a user would start it.</summary>
[Collection(typeof(Alone))]
public class SampleHostTests
{
    private const int Size = 400_000;
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(Size);

    [Fact]
    public async Task Sample_host_completes_a_file_after_a_kill()
    {
        using var directory = new UploadDirectory();
        await using (ChildHost sample = await ChildHost.StartSampleAsync(directory.Root))
        {
            using HttpResponseMessage first = await sample.Client.AppendAsync("holiday.bin-400000-1", 0, Content[..150_000], Size, ("X-File-Name", "holiday.bin"));
            Assert.Equal("150000", await first.Content.ReadAsStringAsync());
            sample.Kill();
        }

        await using ChildHost again = await ChildHost.StartSampleAsync(directory.Root);
        Assert.Equal(150_000, await again.Client.StatusAsync("holiday.bin-400000-1"));
        using HttpResponseMessage last = await again.Client.AppendAsync("holiday.bin-400000-1", 150_000, Content[150_000..], Size, ("X-File-Name", "holiday.bin"));
        Assert.Equal((HttpStatusCode.OK, "true"), (last.StatusCode, last.Header("X-Upload-Complete")));
        directory.AssertFinished("holiday.bin", Content);
        Assert.Equal(Content, await again.Client.GetByteArrayAsync("/files/holiday.bin"));
    }

    [Theory]
    [InlineData("Content-Length: 400000")]
    [InlineData("Transfer-Encoding: chunked")]
    [InlineData("Content-Length: 400000", "Expect: 100-continue")]
    public async Task Sample_host_stopped_with_a_silent_client_keeps_bytes_and_exits_soon(params string[] headers)
    {
        using var directory = new UploadDirectory();
        // The host would wait longer for an idle connection than the test for the end of the process.
        await using (ChildHost sample = await ChildHost.StartSampleAsync("SampleHost", directory.Root, "shutdownTimeoutSeconds=1800"))
        {
            await using RawConnection silent = await RawConnection.OpenAsync(sample.Address);
            await silent.SendHeadAsync("POST /upload", "X-File-Id: silent", "X-File-Name: silent.bin", $"X-File-Size: {Size}", string.Join("\r\n", headers));
            if (headers[0].StartsWith("Transfer", StringComparison.Ordinal))
            {
                await silent.SendChunkAsync(Content.AsMemory(0, 100_000));
            }
            else
            {
                await silent.SendAsync(Content.AsMemory(0, 100_000));
            }

            await directory.HasAsync("silent", 100_000);

            sample.Terminate();
            RawResponse? response;
            do
            {
                response = await silent.ReadResponseAsync();
            }
            while (response?.Status == 100);
            Assert.Equal((503, "100000"), (response?.Status, response?.Header("X-Start-Byte")));
            await sample.EndAsync();
            Assert.Equal(0, sample.ExitCode);
        }

        await using ChildHost again = await ChildHost.StartSampleAsync(directory.Root);
        Assert.Equal(100_000, await again.Client.StatusAsync("silent"));
        using HttpResponseMessage last = await again.Client.AppendAsync("silent", 100_000, Content[100_000..], Size);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        directory.AssertFinished("silent.bin", Content);
    }
}
