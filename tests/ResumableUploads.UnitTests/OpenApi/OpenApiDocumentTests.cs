using Microsoft.OpenApi;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.OpenApi;

public class OpenApiDocumentTests
{
    [Fact]
    public async Task Document_without_the_call_has_only_the_operations_of_the_app()
    {
        await using TestApp app = await DescribedApp.StartAsync();
        OpenApiDocument document = await DescribedApp.ReadDocumentAsync(app, DescribedApp.Without);
        Assert.Equal(["/albums/{album}", "/import", "/plain"], document.Paths.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["GET", "POST"], document.GetMethods("/import"));
        Assert.All(
            document.Paths.Values.SelectMany(static path => path.Operations!.Values),
            static operation =>
            {
                Assert.Empty(operation.GetRequestHeaders());
                Assert.Equal(["200"], operation.Responses!.Keys);
            });
    }

    [Fact]
    public async Task Document_has_the_methods_of_each_kind_of_endpoint()
    {
        await using TestApp app = await DescribedApp.StartAsync();
        OpenApiDocument document = await DescribedApp.ReadDocumentAsync(app, DescribedApp.With);
        string[] creation = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
        string[] upload = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"];
        Assert.Equal(creation, document.GetMethods("/upload"));
        Assert.Equal(upload, document.GetMethods("/upload/{resumable-upload}"));
        Assert.Equal(["GET", "HEAD"], document.GetMethods("/status"));
        Assert.Equal(creation, document.GetMethods("/videos/{album}"));
        Assert.Equal(upload, document.GetMethods("/videos/{album}/{resumable-upload}"));
        Assert.Equal(upload, document.GetMethods("/import"));
        Assert.Equal([.. upload.Append("PUT")], document.GetMethods("/albums/{album}"));
        Assert.Equal(8, document.Paths.Count);
    }

    [Fact]
    public async Task Other_operations_are_not_changed()
    {
        await using TestApp app = await DescribedApp.StartAsync();
        OpenApiDocument with = await DescribedApp.ReadDocumentAsync(app, DescribedApp.With);
        OpenApiDocument without = await DescribedApp.ReadDocumentAsync(app, DescribedApp.Without);
        foreach ((string path, string method) in new[] { ("/plain", "POST"), ("/import", "GET") })
        {
            Assert.Equal(await SerializeAsync(without.Find(path, method)!), await SerializeAsync(with.Find(path, method)!));
        }
    }

    [Fact]
    public async Task Operations_of_a_route_with_parameters_have_them()
    {
        await using TestApp app = await DescribedApp.StartAsync();
        OpenApiDocument document = await DescribedApp.ReadDocumentAsync(app, DescribedApp.With);
        foreach (string path in new[] { "/albums/{album}", "/videos/{album}", "/videos/{album}/{resumable-upload}" })
        {
            Assert.All(
                document.Paths[path].Operations!,
                operation => Assert.Equal(
                    path.Split('/').Where(static segment => segment.StartsWith('{')).Select(static segment => segment.Trim('{', '}')),
                    operation.Value.Parameters!.Where(static parameter => parameter.In == ParameterLocation.Path).Select(static parameter => parameter.Name!)));
        }
    }

    private static Task<string> SerializeAsync(OpenApiOperation operation) => operation.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1);
}
