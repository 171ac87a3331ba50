using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols;

/// <summary>The query of a creation is part of the URL of the upload, because the app may authorize requests by it.</summary>
public class UploadUrlQueryTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(10);

    public static TheoryData<string, string> Combinations { get; } = new(
        from place in (string[])[TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint]
        from protocol in (string[])[ProtocolClient.Tus, ProtocolClient.Ietf]
        select (place, protocol));

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task Url_of_upload_has_query_of_creation(string place, string protocol)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.BeginAsync(protocol, $"{TusApp.Url}?token=a%26b%2F%C3%A9&x=1&x=2", File[..4], File.Length);
        Assert.Contains("?token=a%26b%2F%C3%A9&x=1&x=2", url, StringComparison.Ordinal);
        Assert.Equal("4", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage last = await app.Client.FinishAsync(protocol, url, 4, File[4..]);
        Assert.True(last.IsSuccessStatusCode);
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Fact]
    public async Task Url_of_part_may_have_a_query()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        string part = await app.Client.BeginAsync(ProtocolClient.Tus, $"{TusApp.Url}?token=a", File, File.Length, ("Upload-Concat", "partial"));
        using HttpResponseMessage final = await app.Client.TusAsync("POST", $"{TusApp.Url}?token=a", null, ("Upload-Concat", $"final;{part}"));
        Assert.Equal(201, (int)final.StatusCode);
        Assert.EndsWith("?token=a", final.Header("Location"), StringComparison.Ordinal);
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }
}
