using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Packages;

/// <summary>The first steps of README.md in new apps.</summary>
[Collection<PackedPackages>]
public class FreshAppTests(FreshApps apps) : IClassFixture<FreshApps>
{
    private const int Size = 3_000_000;
    private const string FileId = "film";

    public static TheoryData<string> Templates => [.. FreshApps.Templates];

    [Theory]
    [MemberData(nameof(Templates))]
    public Task New_app_takes_an_upload_that_is_cut_and_resumed(string template)
    {
        string directory = apps.DirectoryOf(template);
        return UploadAsync(directory, "dotnet", "exec", Path.Combine(directory, "bin/Debug/net10.0", template + ".dll"));
    }

    [Theory]
    [Trait("Requires", "NativeCompiler")]
    [InlineData("-p:PublishAot=true")]
    [InlineData("-p:PublishTrimmed=true", "-p:PublishSingleFile=true", "--self-contained")]
    public async Task Native_and_trimmed_apps_take_an_upload_that_is_cut_and_resumed(params string[] options)
    {
        string output = Path.Combine(apps.DirectoryOf("web"), options[0].Trim('-').Replace(':', '-'));
        await apps.RunAsync(apps.DirectoryOf("web"), ["publish", "--use-current-runtime", "-o", output, "-v", "q", "-warnaserror", "-warnnotaserror:NU1900", .. options]);
        await UploadAsync(output, Path.Combine(output, "web"));
    }

    /// <summary>Starts an app, sends a part of a file, cuts the connection, and sends the rest from the offset that the app reports.</summary>
    private static async Task UploadAsync(string directory, params string[] command)
    {
        await using ChildHost host = await ChildHost.StartProgramAsync([.. command, "--urls=http://127.0.0.1:0"], directory, Path.Combine(directory, "home"));
        using var handler = new SocketsHttpHandler { CookieContainer = new CookieContainer() };
        using var browser = new HttpClient(handler) { BaseAddress = host.Address };
        byte[] content = RandomNumberGenerator.GetBytes(Size);
        Assert.Equal(0, await browser.StatusAsync(FileId));
        await using (RawConnection connection = await RawConnection.OpenAsync(host.Address))
        {
            await connection.SendHeadAsync(
                "POST /upload", "Cookie: " + handler.CookieContainer.GetCookieHeader(host.Address), "X-File-Id: " + FileId, "X-Start-Byte: 0", $"X-File-Size: {Size}", $"Content-Length: {Size}");
            await connection.SendAsync(content.AsMemory(0, Size / 2));
            await Eventually.TrueAsync(async () => await browser.StatusAsync(FileId) > 0, "the app has bytes");
            connection.Reset();
        }

        int offset = (int)await browser.StatusAsync(FileId);
        Assert.InRange(offset, 1, Size / 2);
        using HttpResponseMessage response = await browser.AppendAsync(FileId, offset, content[offset..], Size);

        Assert.Equal("true", response.Header("X-Upload-Complete"));
        string file = Assert.Single(Directory.GetFiles(Path.Combine(directory, "inbox")));
        Assert.Equal(content, await File.ReadAllBytesAsync(file));
    }
}
