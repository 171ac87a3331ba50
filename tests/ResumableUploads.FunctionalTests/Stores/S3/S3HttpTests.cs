using System.Globalization;
using ResumableUploads.S3;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.S3;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.S3;

/// <summary>Uploads over HTTP to two servers that share a bucket.</summary>
public abstract class S3HttpTests(S3Endpoint endpoint)
{
    private const int FirstLength = 300_007;

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_in_two_requests_to_two_servers_is_complete(string protocol)
    {
        byte[] file = TestUploads.Bytes(500_003);
        using TestBucket bucket = await endpoint.CreateBucketAsync();
        using S3UploadStore first = bucket.Open();
        using S3UploadStore second = bucket.Open();
        await using TestApp a = await TestApp.StartAsync(options => options.Store = first);
        await using TestApp b = await TestApp.StartAsync(options => options.Store = second);
        string url = await a.Client.BeginAsync(protocol, "/upload", file[..FirstLength], file.Length);
        Assert.Equal(FirstLength.ToString(CultureInfo.InvariantCulture), (await b.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage response = await b.Client.FinishAsync(protocol, url, FirstLength, file[FirstLength..]);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.Equal(file, Assert.Single(b.Finished).Content);
    }
}
