using System.Text.Json;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.UnitTests.Engine;

/// <summary>The JSON of a record is a storage format: uploads written by older versions must stay readable.</summary>
public class EngineRecordTests
{
    private static readonly EngineRecord Record = new()
    {
        Protocol = "p",
        EngineName = "e",
        Network = "n",
        IsContentStored = true,
        Created = DateTimeOffset.UnixEpoch,
        RawFileName = "r",
        FileName = "f",
        ContentType = "t",
        ProtocolMetadata = "m",
        ReprDigest = "d",
        RequestedDigestAlgorithm = "w",
        ComputedReprDigest = "c",
        MaxUploadSize = 8,
        ContentDigests = new ContentDigests(1, ["v"]),
        Request = new StoredRequest { Method = "POST", Path = "/p" },
        Concatenation = new ConcatenationInfo("final;/a", ["a"], 7, 1),
        Handler = new HandlerState(1, "l", 2, true, true, DateTimeOffset.UnixEpoch) { DeadLetterAttempts = 1, LeaseDuration = TimeSpan.FromSeconds(15), Renewals = 1, LeaseTimestamp = 1 },
    };

    [Theory]
    [InlineData(null, "format,protocol,endpoint,created,network,isContentStored,rawFileName,fileName,contentType,tusMetadata,reprDigest,wantedDigest,foundDigest,contentDigests,request,maxUploadSize,join,handler")]
    [InlineData("handler", "attempts,leasedBy,leaseDuration,renewals,runs,isParked,isTold,retryAt,deadLetterAttempts")]
    [InlineData("contentDigests", "length,values")]
    [InlineData("join", "raw,parts,maxUploadSize,references")]
    [InlineData("request", "method,path,query,routeValues,headers")]
    public void ToBytes_writes_the_property_names_of_the_storage_format(string? property, string names)
    {
        using JsonDocument json = JsonDocument.Parse(Record.ToBytes());
        JsonElement element = property is null ? json.RootElement : json.RootElement.GetProperty(property);
        Assert.Equal(names.Split(',').Order(), element.EnumerateObject().Select(static member => member.Name).Order());
    }

    [Fact]
    public void ToBytes_preserves_unknown_properties()
    {
        byte[] data = """{"format":1,"protocol":"p","later":{"x":1}}"""u8.ToArray();
        using JsonDocument json = JsonDocument.Parse(Read(data).ToBytes());
        Assert.Equal(1, json.RootElement.GetProperty("later").GetProperty("x").GetInt32());
    }

    [Theory]
    [InlineData("""{"format":2}""", StoreFailure.Unavailable)]
    [InlineData("{", StoreFailure.Corrupt)]
    [InlineData("null", StoreFailure.Corrupt)]
    public void From_newer_or_damaged_record_throws(string data, StoreFailure failure) =>
        Assert.Equal(failure, Assert.Throws<UploadStoreException>(() => Read(System.Text.Encoding.UTF8.GetBytes(data))).Failure);

    private static EngineRecord Read(byte[] data) => EngineRecord.From(new UploadInfo
    {
        Key = new UploadKey("o", "i"),
        Version = "v",
        Offset = 0,
        Record = new UploadRecord { Data = data },
        LastModified = DateTimeOffset.UnixEpoch,
    });
}
