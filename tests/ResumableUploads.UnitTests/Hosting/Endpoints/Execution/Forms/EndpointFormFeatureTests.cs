using System.Text;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Hosting.Endpoints.Execution.Forms;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution.Forms;

public class EndpointFormFeatureTests
{
    private const string Form = "--b\r\nContent-Disposition: form-data; name=title\r\n\r\nA title\r\n"
        + "--b\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\ncontent\r\n--b--\r\n";

    [Fact]
    public async Task Body_can_be_read_after_the_form()
    {
        HttpRequest request = CreateRequest();
        IFormCollection form = await new EndpointFormFeature(request, new FormOptions(), long.MaxValue).ReadFormAsync(default);
        Assert.Equal(("A title", "a.txt", 7), (form["title"].ToString(), form.Files[0].FileName, form.Files[0].Length));

        using var body = new StreamReader(request.Body);
        Assert.Equal(Form, await body.ReadToEndAsync());
    }

    [Theory]
    [InlineData(7, true)]
    [InlineData(6, false)]
    public async Task Values_are_limited_together_and_files_are_not(long limit, bool isValid)
    {
        Exception? thrown = await Record.ExceptionAsync(() => new EndpointFormFeature(CreateRequest(), new FormOptions(), limit).ReadFormAsync(default));
        Assert.Equal(isValid ? null : 413, (thrown as BadHttpRequestException)?.StatusCode);
        Assert.Equal(isValid, thrown is null);
    }

    [Theory]
    [InlineData("name=file; filename*")]
    [InlineData("name=file; filename")]
    [InlineData("name=file; filename*=")]
    [InlineData("name=file; filename*; filename")]
    [InlineData("name")]
    [InlineData("name*; name=file")]
    public async Task Parameter_without_value_is_ignored_or_invalid(string parameters)
    {
        string form = $"--b\r\nContent-Disposition: form-data; {parameters}\r\n\r\ncontent\r\n--b--\r\n";
        Exception? thrown = await Record.ExceptionAsync(() => new EndpointFormFeature(CreateRequest(form), new FormOptions(), long.MaxValue).ReadFormAsync(default));
        Assert.True(thrown is null or InvalidDataException, $"{thrown}");
    }

    [Fact]
    public async Task File_name_without_value_is_none()
    {
        const string form = "--b\r\nContent-Disposition: form-data; name=title; filename*\r\n\r\ncontent\r\n--b--\r\n";
        IFormCollection read = await new EndpointFormFeature(CreateRequest(form), new FormOptions(), long.MaxValue).ReadFormAsync(default);
        Assert.Equal("content", read["title"]);
    }

    private static HttpRequest CreateRequest(string form = Form)
    {
        byte[] body = Encoding.ASCII.GetBytes(form);
        HttpRequest request = new DefaultHttpContext().Request;
        (request.Method, request.ContentType, request.ContentLength, request.Body) = ("POST", "multipart/form-data; boundary=b", body.Length, new MemoryStream(body));
        return request;
    }
}
