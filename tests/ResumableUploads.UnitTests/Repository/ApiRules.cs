using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.Extensions.Logging;

namespace ResumableUploads.UnitTests.Repository;

public partial class ApiRules
{
    private static readonly Assembly Package = typeof(ResumableUploadOptions).Assembly;

    [Fact]
    public void No_public_class_is_open_by_accident()
    {
        Assert.DoesNotContain(Package.GetExportedTypes(), static type => type is { IsClass: true, IsSealed: false, IsAbstract: false });
    }

    [Fact]
    public void Every_public_member_and_parameter_is_documented()
    {
        var docs = ApiDocs.Load();
        var compilation = CSharpCompilation.Create("docs", references: [.. ReadmeCode.References]);
        var package = (IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(compilation.References.First(
            static reference => reference.Display == Package.Location))!;
        ISymbol[] members = [.. Types(package.GlobalNamespace).SelectMany(static type => type.GetMembers().Where(IsWritten).Prepend(type))];

        Assert.True(members.Length > 100, $"Only {members.Length} members were looked at.");
        Assert.Empty(members.SelectMany(member => Missing(docs, member)));
    }

    [Fact]
    public void No_event_id_of_a_log_message_is_used_twice()
    {
        int[] ids = [.. Package.GetTypes()
            .SelectMany(static type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(static method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .Select(static message => message.EventId)];

        Assert.True(ids.Length > 20, $"Only {ids.Length} messages were found.");
        Assert.Equal(ids.Order(), ids.Distinct().Order());
    }

    [Fact]
    public void No_type_has_a_name_that_says_nothing()
    {
        Assert.DoesNotContain(Package.GetTypes().Select(static type => type.Name), static name => Vague().IsMatch(name) && name[0] != '<');
        Assert.Matches(Vague(), "UploadHelper");
        Assert.DoesNotMatch(Vague(), "Utility");
    }

    [GeneratedRegex("(Helpers?|Managers?|Utils?)(?![a-z])")]
    private static partial Regex Vague();

    private static IEnumerable<INamedTypeSymbol> Types(INamespaceOrTypeSymbol container) => container.GetMembers().SelectMany(static member => member switch
    {
        INamespaceSymbol inner => Types(inner),
        INamedTypeSymbol { DeclaredAccessibility: Accessibility.Public } type => Types(type).Prepend(type),
        _ => [],
    });

    /// <summary>Whether a member is public, and somebody has written it: no accessor, and nothing that a record brings along.</summary>
    private static bool IsWritten(ISymbol member) =>
        member is not INamedTypeSymbol and not IMethodSymbol { MethodKind: MethodKind.PropertyGet or MethodKind.PropertySet or MethodKind.EventAdd or MethodKind.EventRemove }
        && member.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal
        && !member.GetAttributes().Any(static attribute => attribute.AttributeClass?.Name == "CompilerGeneratedAttribute")
        && member is not IMethodSymbol { MethodKind: MethodKind.Constructor, Parameters.Length: 0 }
        && !(member.ContainingType.TypeKind == TypeKind.Enum && member is IMethodSymbol or IFieldSymbol { Name: "value__" });

    private static IEnumerable<string> Missing(ApiDocs docs, ISymbol member)
    {
        string id = member.GetDocumentationCommentId()!;
        string type = (member.ContainingType ?? member).GetDocumentationCommentId()!;

        // The parts of a positional record are the parameters of its type.
        bool isPositional = docs.Parameters(type).Count > 0
            && (member is IPropertySymbol ? docs.Parameters(type).Contains(member.Name) : member is IMethodSymbol { MethodKind: MethodKind.Constructor });
        if (isPositional)
        {
            yield break;
        }

        if (!docs.IsDocumented(id))
        {
            yield return id;
        }
        else if (member is IMethodSymbol method && !docs.IsInherited(id) && method.MethodKind == MethodKind.Ordinary)
        {
            foreach (string name in method.Parameters.Select(static p => p.Name).Concat(method.TypeParameters.Select(static p => p.Name)))
            {
                if (!docs.Parameters(id).Contains(name))
                {
                    yield return $"{id}, parameter {name}";
                }
            }
        }
    }
}
