using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.FileId;

public class FileIdSmokeTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_in_two_chunks_runs_handler_with_whole_file(bool onTestHost)
    {
        await using TestApp app = await TestApp.StartAsync(onTestHost: onTestHost);
        byte[] file = RandomNumberGenerator.GetBytes(300_000);

        Assert.Equal(0, await app.Client.StatusAsync("f"));
        using (HttpResponseMessage first = await app.Client.AppendAsync("f", 0, file[..100_000], file.Length))
        {
            Assert.Equal("100000", await first.Content.ReadAsStringAsync());
            Assert.Equal("false", first.Header("X-Upload-Complete"));
        }

        Assert.Equal(100_000, await app.Client.StatusAsync("f"));
        using HttpResponseMessage last = await app.Client.AppendAsync("f", 100_000, file[100_000..], file.Length);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        Assert.Equal(file, Assert.Single(app.Finished).Content);
    }
}
