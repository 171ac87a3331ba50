using System.Reflection;
using System.Text;
using System.Xml.Linq;

namespace ResumableUploads.UnitTests.Repository.Api;

/// <summary>The doc comments of the package, read from the XML file that the compiler writes.</summary>
internal sealed class ApiDocumentation
{
    private readonly Dictionary<string, XElement> _members;

    private ApiDocumentation(IEnumerable<XElement> members) => _members = members.ToDictionary(static member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    public static ApiDocumentation Load() => Load(typeof(ResumableUploadOptions).Assembly);

    public static ApiDocumentation Load(Assembly package) =>
        new(XDocument.Load(Path.ChangeExtension(package.Location, ".xml")).Descendants("member"));

    public IEnumerable<string> Names => _members.Keys;

    /// <summary>Returns whether a member has a summary or <c>inheritdoc</c>.</summary>
    public bool IsDocumented(string name) =>
        _members.TryGetValue(name, out XElement? member) && (member.Element("inheritdoc") is not null || !string.IsNullOrWhiteSpace(Summary(name)));

    /// <summary>Returns the names of the documented parameters and type parameters.</summary>
    public ISet<string> Parameters(string name) => !_members.TryGetValue(name, out XElement? member)
        ? new HashSet<string>()
        : member.Elements().Where(static e => e.Name.LocalName is "param" or "typeparam" && e.Value.Trim().Length > 0)
            .Select(static e => e.Attribute("name")!.Value).ToHashSet(StringComparer.Ordinal);

    public bool IsInherited(string name) => _members.TryGetValue(name, out XElement? member) && member.Element("inheritdoc") is not null;

    /// <summary>Returns the summary as one line of Markdown, or <see langword="null"/>.</summary>
    public string? Summary(string name)
    {
        if (!_members.TryGetValue(name, out XElement? member) || member.Element("summary") is not { } summary)
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (XNode node in summary.Nodes())
        {
            text.Append(node switch
            {
                XText plain => plain.Value,
                XElement { Name.LocalName: "see" } see when see.Attribute("cref") is { } cref => $"`{cref.Value[(cref.Value.LastIndexOf('.') + 1)..]}`",
                XElement { Name.LocalName: "see" } see when see.Attribute("langword") is { } word => $"`{word.Value}`",
                XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
                XElement other => other.Value,
                _ => "",
            });
        }

        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
