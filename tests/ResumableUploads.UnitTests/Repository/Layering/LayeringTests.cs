using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using ResumableUploads.AzureBlobs;
using ResumableUploads.S3;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository.Layering;

public partial class LayeringTests
{
    [Fact]
    public void Layers_refer_only_to_allowed_layers()
    {
        Assert.Empty(Layers.Violations(typeof(ResumableUploadOptions).Assembly.GetTypes(), Layers.Of));
    }

    [Theory]
    [InlineData("Hosting")]
    [InlineData("Protocols")]
    [InlineData("Engine")]
    [InlineData("Stores")]
    [InlineData("Abstractions")]
    public void Layer_has_types(string layer)
    {
        Assert.Contains(typeof(ResumableUploadOptions).Assembly.GetTypes(), type => Layers.Of(type) == layer);
    }

    [Theory]
    [InlineData(typeof(HasField))]
    [InlineData(typeof(HasGenericArgument))]
    [InlineData(typeof(HasParameter))]
    [InlineData(typeof(HasBase))]
    [InlineData(typeof(HasConstraint<>))]
    [InlineData(typeof(HasAttribute))]
    [InlineData(typeof(HasCall))]
    [InlineData(typeof(HasTypeOf))]
    [InlineData(typeof(HasCatch))]
    [InlineData(typeof(HasGenericCall))]
    [InlineData(typeof(HasLambda))]
    public void Violations_planted_web_type_in_engine_is_found(Type planted)
    {
        IEnumerable<Type> types = [planted, .. planted.GetNestedTypes(System.Reflection.BindingFlags.NonPublic)];
        Assert.NotEmpty(Layers.Violations(types, type => types.Contains(type) ? "Engine" : null));
        Assert.Empty(Layers.Violations(types, type => types.Contains(type) ? "Hosting" : null));
    }

    [Fact]
    public void Violations_planted_store_in_protocol_is_found()
    {
        string violation = Assert.Single(Layers.Violations(
            [typeof(RefersToStore)], static type => type == typeof(RefersToStore) ? "Protocols" : Layers.Of(type)));
        Assert.Contains(nameof(MemoryUploadStore), violation, StringComparison.Ordinal);
    }

#pragma warning disable CA1859, CS0169, CS0649, CA1823, IDE0051, IDE0044, CA1801, IDE0060, CA1003
    private class HasField
    {
        private HttpContext? _field;
    }

    private class HasGenericArgument
    {
        private List<Dictionary<string, HttpContext[]>>? _field;
    }

    private class HasParameter
    {
        public static void Take(ref HttpContext context)
        {
        }
    }

    private class HasBase : HeaderDictionary;

    private class HasConstraint<T>
        where T : HttpContext;

    [ProducesErrorResponseType(typeof(string))]
    private class HasAttribute;

    private class HasCall
    {
        public static bool Call() => HttpMethods.IsGet("GET");
    }

    private class HasTypeOf
    {
        public static string Name() => typeof(HttpContext).Name;
    }

    private class HasCatch
    {
        public static void Try()
        {
            try
            {
                GC.KeepAlive(null);
            }
            catch (BadHttpRequestException)
            {
            }
        }
    }

    private class HasGenericCall
    {
        public static Array Call() => Array.Empty<HttpContext>();
    }

    private class HasLambda
    {
        public static Func<object, bool> Lambda() => static value => value is HttpContext;
    }

    private class RefersToStore
    {
        public static object Make() => new MemoryUploadStore();
    }
#pragma warning restore

    [Fact]
    public void Test_kit_refers_only_to_abstractions()
    {
        Type[] references = [.. typeof(StoreContract).Assembly.GetTypes().SelectMany(TypeReferences.Of).Where(static type => Layers.Of(type) is not null).Distinct()];
        Assert.NotEmpty(references);
        Assert.All(references, static type => Assert.Equal("Abstractions", Layers.Of(type)));
    }

    /// <summary>A store in a package of its own uses what the store of an app can use. Only the extension method that registers it uses the options of the app.</summary>
    [Theory]
    [InlineData(typeof(AzureBlobUploadStore))]
    [InlineData(typeof(S3UploadStore))]
    public void Store_packages_refer_only_to_abstractions(Type store)
    {
        Type[] references = [.. store.Assembly.GetTypes()
            .Where(static type => type.Namespace?.StartsWith("ResumableUploads.", StringComparison.Ordinal) == true)
            .SelectMany(TypeReferences.Of).Where(static type => Layers.Of(type) is not null).Distinct()];
        Assert.NotEmpty(references);
        Assert.All(references, static type => Assert.Equal("Abstractions", Layers.Of(type)));
    }

    /// <summary>Scans code, strings and comments alike: a protocol belongs to Protocols or Hosting.</summary>
    [Theory]
    [InlineData("Engine")]
    [InlineData("Abstractions")]
    [InlineData("Stores")]
    [InlineData("Infrastructure")]
    public void Layer_below_the_protocols_names_no_protocol(string layer)
    {
        string[] files = [.. RepositoryFiles.Files().Where(file => file.StartsWith($"src/ResumableUploads/{layer}/", StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        Assert.Empty(files.SelectMany(static file => FindProtocolNames(File.ReadAllText(Path.Combine(RepositoryFiles.Root, file)))
            .Select(name => $"{file}: {name}")));
    }

    [Theory]
    [InlineData("a tus client")]
    [InlineData("TusName")]
    [InlineData("parsedTus")]
    [InlineData("IETF draft")]
    [InlineData("IetfId")]
    [InlineData("X-File-Id")]
    [InlineData("fileId")]
    [InlineData("OwnerFileIdKey")]
    public void Protocol_name_is_found(string text) => Assert.NotEmpty(FindProtocolNames(text));

    [Theory]
    [InlineData("UploadStatus status")]
    [InlineData("STATUS")]
    [InlineData("file identity")]
    [InlineData("[JsonPropertyName(\"tusMetadata\")]")]
    public void Other_word_is_no_protocol_name(string text) => Assert.Empty(FindProtocolNames(text));

    private static IEnumerable<string> FindProtocolNames(string text) =>
        ProtocolName().Matches(text.Replace(RecordPropertyOnDisk, "", StringComparison.Ordinal)).Select(static match => match.Value);

    /// <summary>The one exception: a property name of the record format, which stays for uploads of earlier versions.</summary>
    private const string RecordPropertyOnDisk = "\"tusMetadata\"";

    [GeneratedRegex("(?<![A-Za-z])(?i:tus|ietf|file-?id)(?![a-z])|(?<=[a-z])(?:Tus|Ietf|FileId)(?![a-z])")]
    private static partial Regex ProtocolName();
}
